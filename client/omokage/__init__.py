"""Portraits that stay the same person: the client of an Omokage server."""

from omokage.client import Client, Portrait
from omokage.errors import InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable
from omokage.passport import Passport

__all__ = ["Client", "InvalidRequest", "OmokageError", "Passport", "Portrait", "Refused", "ServerFault", "ServerUnreachable"]

"""Portraits that stay the same person: the client of an Omokage server."""

from omokage.client import Client, Portrait, Step
from omokage.errors import Busy, Cancelled, InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable, TooLate
from omokage.passport import Passport

__all__ = [
    "Busy",
    "Cancelled",
    "Client",
    "InvalidRequest",
    "OmokageError",
    "Passport",
    "Portrait",
    "Refused",
    "ServerFault",
    "ServerUnreachable",
    "Step",
    "TooLate",
]

"""Portraits that stay the same person: the client of an Omokage server.

What is named here is imported when it is first asked for: the server's own processes use some of the modules beside it, and gRPC in each of them
would take 20 MB.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omokage.client import Client, Portrait, Step
    from omokage.errors import Busy, Cancelled, InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable, TooLate
    from omokage.passport import Passport

_WHERE = {
    "client": ("Client", "Portrait", "Step"),
    "errors": ("Busy", "Cancelled", "InvalidRequest", "OmokageError", "Refused", "ServerFault", "ServerUnreachable", "TooLate"),
    "passport": ("Passport",),
}

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


def __getattr__(name: str) -> Any:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f"omokage.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

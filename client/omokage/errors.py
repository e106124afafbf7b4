"""The errors a user of the client can meet. Every text says what was got, what is wanted and what to do."""

import re


class OmokageError(Exception):
    """The base of all; `exit_code` is that of the command line."""

    exit_code = 1


class InvalidRequest(OmokageError):
    """A photo, word or knob that cannot be used as it is."""

    exit_code = 2


class ServerUnreachable(OmokageError):
    """No server answers there, or it is not ready, or it broke off."""

    exit_code = 3


class Refused(OmokageError):
    """Consent or safety does not allow it."""

    exit_code = 4


class ServerFault(OmokageError):
    """The server failed at something that was asked rightly."""


class Busy(ServerUnreachable):
    """The server has as much to do as it takes."""

    @property
    def retry_after(self) -> float:
        """Seconds, as the server reckons; 1 where it says nothing."""
        found = re.search(r"in about ([0-9.]+) s", str(self))
        return float(found[1]) if found else 1.0


class TooLate(OmokageError):
    """A deadline that cannot be met, or was not."""


class Cancelled(OmokageError):
    """Whoever asked gave it up."""

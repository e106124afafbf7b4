"""The errors a user of the client can meet. Every text says what was got, what is wanted and what to do."""


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

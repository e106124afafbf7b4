"""The errors of this package: one base, so that the command line can print them as one line."""


class ServerError(Exception):
    """Something the caller can mend; the text says what was got, what is wanted and what to do."""


class MissingPiece(ServerError):
    """The server's binary or a package is not there, or not of a version that works."""


class NotReady(ServerError):
    """The server did not get ready; the text has its own last words."""


class Crashed(NotReady):
    """The server crashed before it was ready: a fault of its own, which another start may not have."""

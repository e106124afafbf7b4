"""The errors of this package: one base, so that the command line can print them as one line."""


class MiniError(Exception):
    """Something the caller can mend; the text says what was got, what is wanted and what to do."""


class InvalidRequest(MiniError):
    """An unknown option, or a value outside its range."""


class MissingPiece(MiniError):
    """A file that an earlier stage makes is not there; the text names the command that makes it."""


class Diverged(MiniError):
    """The loss is no number, or far above what it was; the last good checkpoint is kept."""

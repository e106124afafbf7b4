"""The errors of this package: one base, so that the command line can print them as one line."""


class PeopleError(Exception):
    """Something the caller can mend; the text says what was got, what is wanted and what to do."""


class InvalidRequest(PeopleError):
    """An unknown option, or a value outside its range."""


class MissingPiece(PeopleError):
    """A package, driver or asset is not there; the text names the command that brings it."""


class DamagedData(PeopleError):
    """A file is not what its digest or its index says."""

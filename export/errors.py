"""The errors of this package: one base, so that a command line can print them as one line."""


class ExportError(Exception):
    """Something the caller can mend; the text says what was got, what is wanted and what to do."""


class InvalidRequest(ExportError):
    """An unknown family or network, or an option outside its range."""


class MissingPiece(ExportError):
    """A package, weight or tool is not there; the text names what brings it."""


class DamagedData(ExportError):
    """A file is not what its digest says."""


class Mismatch(ExportError):
    """A graph does not have the names, dtypes or shapes of its spec."""

"""The errors of this package: one base, so that the command line can print them as one line."""


class EngineError(Exception):
    """Something the caller can mend; the text says what was got, what is wanted and what to do."""


class InvalidRequest(EngineError):
    """An unknown family, target or network."""


class MissingPiece(EngineError):
    """A graph, a weight or a runtime is not there; the text names what brings it."""


class BadEngine(EngineError):
    """An engine on disk is damaged, stale, or was built for something else."""


class BuildFailed(EngineError):
    """A builder ended badly; the text says for which network."""

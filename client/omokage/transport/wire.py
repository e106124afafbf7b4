"""How arrays lie on the wire, and what the server's codes mean."""

import re

import numpy as np

from omokage.errors import InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable
from omokage.systems.base import Arrays

SAID: dict[str, type[OmokageError]] = {"bad request: ": InvalidRequest, "refused: ": Refused}
"""How the texts of our models begin: a call from model to model loses its code, and for a refusal Triton has none."""
CODES: dict[str, type[OmokageError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "UNIMPLEMENTED": InvalidRequest,
    "NOT_FOUND": ServerUnreachable,
    "UNAVAILABLE": ServerUnreachable,
    "DEADLINE_EXCEEDED": ServerUnreachable,
}
"""gRPC's codes; any other is a fault of the server."""
PASSING = ("Stub process", "has no available versions", "is not ready", "is being brought back")
"""In texts of faults that pass: a process that is being brought back, a server that is being ended or begun."""
ENSEMBLE = re.compile(r"^in ensemble '[^']*', ")


def laid_out(inputs: Arrays) -> Arrays:
    """One number a row is [B] in a recipe and [B, 1] on the wire."""
    return {name: value.reshape(-1, 1) if value.ndim == 1 else np.ascontiguousarray(value) for name, value in inputs.items()}


def meant(code: str, said: str) -> OmokageError:
    """The error of a code and a text that came from the server."""
    plain = ENSEMBLE.sub("", said)
    for begins, error in SAID.items():
        if plain.startswith(begins):
            return error(plain.removeprefix(begins))
    return CODES.get(code, ServerFault)(plain)

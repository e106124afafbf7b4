"""How arrays lie on the wire, and what the server's codes mean."""

import re

import numpy as np

from omokage.errors import InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable
from omokage.systems.base import Arrays

REFUSED = "refused: "  # how a text begins that is a matter of consent or safety: Triton has no code for it
CODES: dict[str, type[OmokageError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "UNIMPLEMENTED": InvalidRequest,
    "NOT_FOUND": ServerUnreachable,
    "UNAVAILABLE": ServerUnreachable,
    "DEADLINE_EXCEEDED": ServerUnreachable,
}
"""gRPC's codes; any other is a fault of the server."""
ENSEMBLE = re.compile(r"^in ensemble '[^']*', ")


def laid_out(inputs: Arrays) -> Arrays:
    """One number a row is [B] in a recipe and [B, 1] on the wire."""
    return {name: value.reshape(-1, 1) if value.ndim == 1 else np.ascontiguousarray(value) for name, value in inputs.items()}


def meant(code: str, said: str) -> OmokageError:
    """The error of a code and a text that came from the server."""
    plain = ENSEMBLE.sub("", said)
    if plain.startswith(REFUSED):
        return Refused(plain.removeprefix(REFUSED))
    return CODES.get(code, ServerFault)(plain)

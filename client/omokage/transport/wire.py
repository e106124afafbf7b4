"""How arrays lie on the wire, and what the server's codes mean."""

import re

import numpy as np
import numpy.typing as npt

from omokage.errors import Busy, Cancelled, InvalidRequest, OmokageError, Refused, ServerFault, ServerUnreachable, TooLate
from omokage.models import STREAMED
from omokage.system import Arrays

Strings = npt.NDArray[np.object_]

SAID: dict[str, type[OmokageError]] = {
    "bad request: ": InvalidRequest,
    "refused: ": Refused,
    "busy: ": Busy,
    "too late: ": TooLate,
    "cancelled: ": Cancelled,
}
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


def taken_up(inputs: Arrays) -> Arrays:
    """The reverse of `laid_out`."""
    return {name: value.reshape(-1) if value.shape[1:] == (1,) else value for name, value in inputs.items()}


def given_up(model: str, job: Strings) -> Arrays:
    """What says that nobody wants a job [1, 1] any more. Triton wants the inputs that must be there even then."""
    return {"cancel": job, **{name: np.array([[b""]], object) for name in STREAMED[model]}}


def meant(code: str, said: str) -> OmokageError:
    """The error of a code and a text that came from the server."""
    plain = ENSEMBLE.sub("", said)
    for begins, error in SAID.items():
        if plain.startswith(begins):
            return error(plain.removeprefix(begins))
    return CODES.get(code, ServerFault)(plain)

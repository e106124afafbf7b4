"""`infer` by Triton's own calls, and answers that never let an error out raw. Only inside Triton's Python backend."""

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from omokage.errors import InvalidRequest, ServerFault, ServerUnreachable
from omokage.models import OUTPUTS
from omokage.systems.base import Arrays
from omokage.transport.wire import PASSING, SAID, laid_out, meant

Request = Any  # pb_utils.InferenceRequest


def infer(model: str, inputs: Arrays) -> Arrays:
    """Raises the errors of omokage.errors."""
    outputs = list(OUTPUTS[model])
    given = [pb_utils.Tensor(name, value) for name, value in laid_out(inputs).items()]
    answer = pb_utils.InferenceRequest(model_name=model, requested_output_names=outputs, inputs=given).exec()
    if answer.has_error():
        said = answer.error().message()
        if any(text in said for text in PASSING):
            raise ServerUnreachable(f"the model {model} is being brought back; repeat the request")
        raise meant("INTERNAL", said)  # whatever the code was: Triton does not hand it on
    return {name: pb_utils.get_output_tensor_by_name(answer, name).as_numpy() for name in outputs}


def array(request: Request, name: str) -> np.ndarray[Any, Any]:
    """An input that must be there: Triton has seen to it."""
    found: np.ndarray[Any, Any] = pb_utils.get_input_tensor_by_name(request, name).as_numpy()
    return found


def optional(request: Request, name: str) -> np.ndarray[Any, Any] | None:
    """An input that may have been left out."""
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy()


def string(request: Request, name: str) -> bytes | None:
    """A string input [1, 1], None where it was left out."""
    found = optional(request, name)
    return None if found is None else bytes(found.reshape(-1)[0])


def words(request: Request, name: str) -> str | None:
    """A text input. Raises InvalidRequest where it is not UTF-8."""
    data = string(request, name)
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{name} is not UTF-8 text (byte {error.start} is {data[error.start]:#04x}); send UTF-8") from None


def answers(requests: Sequence[Request], respond: Callable[[Request], Arrays]) -> list[Any]:
    """Every request answered by its outputs, or by an error with a code. An unforeseen one is told by its kind alone: a text may hold
    names of files, or what was in a picture. The log has the kind and the lines of code."""
    found = []
    for request in requests:
        try:
            outputs = [pb_utils.Tensor(name, value) for name, value in respond(request).items()]
            found.append(pb_utils.InferenceResponse(outputs))
        except tuple(SAID.values()) as error:
            begins = next(begins for begins, kind in SAID.items() if isinstance(error, kind))
            found.append(_failed(f"{begins}{error}", pb_utils.TritonError.INVALID_ARG))
        except ServerUnreachable as error:
            found.append(_failed(str(error), pb_utils.TritonError.UNAVAILABLE))
        except Exception as error:
            lines = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
            said = f": {error}" if isinstance(error, ServerFault) else ""  # the text of a model of ours
            pb_utils.Logger.log_error(f"{type(error).__name__} at {lines}{said}")
            found.append(_failed(f"the server failed: {type(error).__name__}", pb_utils.TritonError.INTERNAL))
    return found


def _failed(said: str, code: int) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(said, code))

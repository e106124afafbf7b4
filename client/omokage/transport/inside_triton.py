"""`infer` by Triton's own calls, and answers that never let an error out raw. Only inside Triton's Python backend."""

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from omokage.errors import Cancelled, InvalidRequest, ServerFault, ServerUnreachable, TooLate
from omokage.models import OUTPUTS
from omokage.system import Arrays
from omokage.transport.wire import PASSING, SAID, laid_out, meant

Request = Any  # pb_utils.InferenceRequest


def infer(model: str, inputs: Arrays, outputs: Sequence[str] = ()) -> Arrays:
    """`outputs`: what is taken (default: as omokage.models says). Raises the errors of omokage.errors."""
    wanted = list(outputs or OUTPUTS[model])
    given = [pb_utils.Tensor(name, value) for name, value in laid_out(inputs).items()]
    answer = pb_utils.InferenceRequest(model_name=model, requested_output_names=wanted, inputs=given).exec()
    if answer.has_error():
        told = answer.error().message()
        if any(text in told for text in PASSING):
            raise ServerUnreachable(f"the model {model} is being brought back; repeat the request")
        raise meant("INTERNAL", told)  # whatever the code was: Triton does not hand it on
    return {name: pb_utils.get_output_tensor_by_name(answer, name).as_numpy() for name in wanted}


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


def whole(request: Request, name: str, without: int) -> int:
    """A whole number [1, 1]; `without`: where it was left out."""
    found = optional(request, name)
    return without if found is None else int(found.flat[0])


def answers(requests: Sequence[Request], respond: Callable[[Request], Arrays]) -> list[Any]:
    """Every request answered by its outputs, or by an error with a code."""
    return [answer(lambda request=request: respond(request)) for request in requests]  # type: ignore[misc]


def answer(respond: Callable[[], Arrays]) -> Any:
    """A response of outputs, or of the error that came instead. An unforeseen one is told by its kind alone: a text may hold names of files, or
    what was in a picture. The log has the kind and the lines of code."""
    try:
        return response(respond())
    except Exception as error:
        return failure(error)


def response(outputs: Arrays) -> Any:
    return pb_utils.InferenceResponse([pb_utils.Tensor(name, value) for name, value in outputs.items()])


def failure(error: Exception) -> Any:
    """A response that tells an error."""
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(said(error), _code(error)))


def said(error: Exception) -> str:
    """The text of an error as it goes out; what was not foreseen goes into the log."""
    for begins, kind in SAID.items():
        if isinstance(error, kind):
            return f"{begins}{error}"
    if isinstance(error, ServerUnreachable):
        return str(error)
    lines = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    told = f": {error}" if isinstance(error, ServerFault) else ""  # the text of a model of ours
    pb_utils.Logger.log_error(f"{type(error).__name__} at {lines}{told}")
    return f"the server failed: {type(error).__name__}"


def _code(error: Exception) -> Any:
    if isinstance(error, ServerUnreachable | TooLate):
        return pb_utils.TritonError.UNAVAILABLE
    if isinstance(error, Cancelled):
        return pb_utils.TritonError.CANCELLED
    return pb_utils.TritonError.INVALID_ARG if isinstance(error, tuple(SAID.values())) else pb_utils.TritonError.INTERNAL

"""`infer` over gRPC (KServe v2), tried again where that is safe."""

import time
from typing import Any

import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from omokage.errors import InvalidRequest, OmokageError, ServerUnreachable
from omokage.models import OUTPUTS
from omokage.systems.base import Arrays
from omokage.transport.wire import PASSING, laid_out, meant

RETRY_SECONDS = 25.0  # a model whose process died is back well before, also on a slow machine that has other things to do
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds


class GrpcTransport:
    """A connection. Every call may be repeated: no model keeps anything, and the same inputs give the same outputs."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for one call, with all its tries. Raises InvalidRequest for one that is none."""
        if not 0 < timeout < float("inf"):
            raise InvalidRequest(f"the timeout is {timeout}; it must be a number of seconds above 0")
        self.url, self._timeout = url, timeout
        self._client = triton_grpc.InferenceServerClient(url)
        self._met = False  # before the first answer a server that is not there is told at once

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        """Raises the errors of omokage.errors."""
        given = [_input(name, value) for name, value in laid_out(inputs).items()]
        wanted = [triton_grpc.InferRequestedOutput(name) for name in OUTPUTS[model]]
        ends, pause, failed = time.monotonic() + self._timeout, FIRST_PAUSE, None
        while True:
            try:
                answer = self._client.infer(model, given, outputs=wanted, client_timeout=max(ends - time.monotonic(), 0.001))
            except InferenceServerException as error:
                failed = failed or time.monotonic()
                until = min(failed + RETRY_SECONDS, ends)
                if not self._passes(error) or time.monotonic() + pause > until:
                    raise self._told(error) from None
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            self._met = True
            return {name: answer.as_numpy(name) for name in OUTPUTS[model]}

    def ready(self) -> bool:
        """Whether the server says it is. Raises ServerUnreachable where none answers."""
        try:
            return bool(self._client.is_server_ready(client_timeout=min(self._timeout, 10.0)))
        except InferenceServerException as error:
            raise self._told(error) from None

    def close(self) -> None:
        self._client.close()

    def _passes(self, error: InferenceServerException) -> bool:
        code, said = _code(error), str(error.message())
        return (code == "UNAVAILABLE" and self._met) or (code != "INVALID_ARGUMENT" and any(text in said for text in PASSING))

    def _told(self, error: InferenceServerException) -> OmokageError:
        code, said = _code(error), str(error.message())
        if code == "DEADLINE_EXCEEDED":
            return ServerUnreachable(f"{self.url} did not answer within {self._timeout:g} s; ask for fewer steps, or give it more time")
        if code == "UNAVAILABLE" and ("connect" in said or "Socket closed" in said):
            return ServerUnreachable(f"no server answers at {self.url}; start one with `make serve`, or give its address with --url")
        if "unknown model" in said and not any(text in said for text in PASSING):
            return ServerUnreachable(f"the server at {self.url} is not ready for this, or serves other models ({said}); `omokage health` tells")
        if code != "INVALID_ARGUMENT" and any(text in said for text in PASSING):
            return ServerUnreachable(f"a model of the server at {self.url} died and was not back in time; ask again, or look at the server's log")
        return meant(code, said)


def _input(name: str, value: Any) -> triton_grpc.InferInput:
    found = triton_grpc.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    found.set_data_from_numpy(value)
    return found


def _code(error: InferenceServerException) -> str:
    return str(error.status() or "").removeprefix("StatusCode.")

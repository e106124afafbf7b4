"""`infer` over gRPC (KServe v2), tried again where that is safe."""

import queue
import secrets
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from omokage.errors import InvalidRequest, OmokageError, ServerUnreachable
from omokage.models import OUTPUTS
from omokage.system import Arrays
from omokage.transport.wire import ENSEMBLE, PASSING, SAID, Strings, given_up, laid_out, meant

RETRY_SECONDS = 25.0  # a model whose process died is back well before, also on a slow machine that has other things to do
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds
CHANNEL = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1), ("grpc.max_reconnect_backoff_ms", 1000)]
"""A server that is begun anew is met soon: of its own, gRPC waits longer and longer."""
LEAVING_SECONDS = 10.0  # until a request that was given up has said so: a step, and what is done at once before and after the steps


class GrpcTransport:
    """A connection. Every call may be repeated: no model keeps anything, and the same inputs give the same outputs."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for one call, with all its tries. Raises InvalidRequest for one that is none."""
        if not 0 < timeout < float("inf"):
            raise InvalidRequest(f"the timeout is {timeout}; it must be a number of seconds above 0")
        self.url, self._timeout = url, timeout
        self._client = triton_grpc.InferenceServerClient(url, channel_args=CHANNEL)
        self._met = False  # before the first answer a server that is not there is told at once

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        """Raises the errors of omokage.errors."""
        given = [_input(name, value) for name, value in laid_out(inputs).items()]
        wanted = [triton_grpc.InferRequestedOutput(name) for name in OUTPUTS[model]]
        patience = _Patience(self._timeout)
        while True:
            try:
                answer = self._client.infer(model, given, outputs=wanted, client_timeout=patience.left)
            except InferenceServerException as error:
                self._wait_or_tell(patience, error)
                continue
            self._met = True
            return {name: answer.as_numpy(name) for name in OUTPUTS[model]}

    def stream(self, model: str, inputs: Arrays) -> Iterator[Arrays]:
        """All answers of a model that gives several, each with what it has of the outputs; who stops reading cancels what is left. Tried again
        only before the first answer. Raises the errors of omokage.errors."""
        given = [_input(name, value) for name, value in laid_out(inputs).items()]
        patience = _Patience(self._timeout)
        while True:
            try:
                for answer in _answers(self.url, model, given, patience, job=secrets.token_hex(16)):
                    self._met = True
                    if found := {name: value for name in OUTPUTS[model] if (value := answer.as_numpy(name)) is not None}:
                        patience.answered = True
                        yield found
                return
            except InferenceServerException as error:
                self._wait_or_tell(patience, error)

    def ready(self) -> bool:
        """Whether the server says it is. Raises ServerUnreachable where none answers."""
        try:
            return bool(self._client.is_server_ready(client_timeout=min(self._timeout, 10.0)))
        except InferenceServerException as error:
            raise self._told(error) from None

    def close(self) -> None:
        self._client.close()

    def _wait_or_tell(self, patience: "_Patience", error: InferenceServerException) -> None:
        """A pause before the next try, or the error where there is none."""
        if patience.answered or not self._passes(error) or not patience.pause():
            raise self._told(error) from None

    def _passes(self, error: InferenceServerException) -> bool:
        code, said = _code(error), str(error.message())
        if ENSEMBLE.sub("", said).startswith(tuple(SAID)):
            return False  # meant as it is said
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


Came = queue.SimpleQueue[tuple[triton_grpc.InferResult | None, InferenceServerException | None]]
"""What a stream hands over."""


class _Patience:
    """How long a call is tried again."""

    def __init__(self, timeout: float) -> None:
        self._ends, self._pause, self._failed = time.monotonic() + timeout, FIRST_PAUSE, 0.0
        self.answered = False

    @property
    def left(self) -> float:
        """Seconds."""
        return max(self._ends - time.monotonic(), 0.001)

    def pause(self) -> bool:
        """Wait a little; False where that would be too long."""
        self._failed = self._failed or time.monotonic()
        if time.monotonic() + self._pause > min(self._failed + RETRY_SECONDS, self._ends):
            return False
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return True


def _answers(url: str, model: str, given: list[triton_grpc.InferInput], patience: _Patience, *, job: str = "") -> Iterator[triton_grpc.InferResult]:
    """The answers of one request on a stream of its own; who leaves gives the request up. Raises InferenceServerException.

    It is given up by a request that says so, with the name of the `job`: Triton 2.51 ends with a segmentation fault where gRPC's own cancel meets an
    answer that is on its way (mended in later ones, triton-inference-server/server#8078). That is left for servers that say nothing any more.
    """
    came: Came = queue.SimpleQueue()
    name: Strings = np.array([[job.encode()]], object)
    with triton_grpc.InferenceServerClient(url) as client:
        over = False
        # errors come without codes: Triton 2.51 with `triton_grpc_error`, which would have them, falls when streams end early
        client.start_stream(lambda result, error: came.put((result, error)))
        try:
            client.async_stream_infer(model, [*given, *([_input("job", name)] if job else [])], enable_empty_final_response=True)
            while not over:
                try:
                    result, error = came.get(timeout=patience.left)
                except queue.Empty:
                    raise InferenceServerException("Deadline Exceeded", status="StatusCode.DEADLINE_EXCEEDED") from None
                over = _is_last(result, error)
                if error is not None:
                    raise _coded(error)
                yield result
        finally:
            client.stop_stream(cancel_requests=not (over or (job and _given_up(client, model, name, came))))


def _is_last(result: triton_grpc.InferResult | None, error: InferenceServerException | None) -> bool:
    """Of a request's answers."""
    return error is not None or result is None or bool(result.get_response().parameters["triton_final_response"].bool_param)


def _given_up(client: triton_grpc.InferenceServerClient, model: str, job: Strings, came: Came) -> bool:
    """Tell the model that nobody wants the job any more; whether it and the telling ended soon."""
    client.async_stream_infer(model, [_input(name, value) for name, value in given_up(model, job).items()], enable_empty_final_response=True)
    ended, until = 0, time.monotonic() + LEAVING_SECONDS
    while ended < 2:
        try:
            ended += _is_last(*came.get(timeout=max(until - time.monotonic(), 0.001)))
        except queue.Empty:
            return False
    return True


def _coded(error: InferenceServerException) -> InferenceServerException:
    """What Triton itself finds wrong with a request has no code in a stream, and this beginning."""
    if error.status() is None and str(error.message()).startswith("[request id: "):
        return InferenceServerException(error.message(), status="StatusCode.INVALID_ARGUMENT")
    return error


def _input(name: str, value: Any) -> triton_grpc.InferInput:
    found = triton_grpc.InferInput(name, list(value.shape), np_to_triton_dtype(value.dtype))
    found.set_data_from_numpy(value)
    return found


def _code(error: InferenceServerException) -> str:
    return str(error.status() or "").removeprefix("StatusCode.")

"""A request to `portrait` or `portrait_stream` while it is under way. Only inside Triton's Python backend."""

import contextlib
import json
import queue
import secrets
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from omokage import preview
from omokage.denoising import OnStep, Task, asked
from omokage.errors import Cancelled, OmokageError, ServerFault, ServerUnreachable, TooLate
from omokage.pixels import pixels
from omokage.portrait import Made, about, paint, text
from omokage.systems.base import Arrays, Floats
from omokage.transport import inside_triton
from omokage.transport.inside_triton import Request, Sender, string, whole
from omokage.transport.neighbours import alive, denoiser_pid
from omokage.transport.orders import ordered, turn

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
LATE = "ask for fewer steps, or give it more time"


SILENT_SECONDS = 2.0  # between two answers of a stream
KEPT = 0.9  # of a mean, at the next value


class Mean:
    """Of the last values, the newest counting most; 0 before the first."""

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, value: float) -> None:
        self.value = KEPT * self.value + (1 - KEPT) * value if self.value else value


class Asking:
    """`gone`: whether whoever asked gave it up; then every further call raises Cancelled. `finishing`: seconds from latents to a file.

    All is read when it comes: what Triton holds of a request is not to be touched once that is answered.
    """

    denoiser = 0  # its process, as the last one found it

    def __init__(self, request: Request, sender: Sender, finishing: Mean) -> None:
        self.gone = False
        self.name: bytes | None = None  # that whoever asks gave it, to give it up by
        self.job = secrets.token_hex(16)
        self._came = time.monotonic()
        self._sender, self._answered, self._lock = sender, False, threading.Lock()
        self._finishing = finishing
        self._denoising: tuple[int, queue.SimpleQueue[Arrays | BaseException | None]] | None = None
        self._said = time.monotonic()
        try:
            self.name = string(request, "job")
            self._order, self._turn = ordered(request), turn(request)
            self._coarse, self._decoded = whole(request, "preview_every", 0), whole(request, "decode_every", 0)
            self._wrong: Exception | None = None
        except Exception as error:
            self._wrong = error

    def is_gone(self) -> bool:
        """Asks Triton: the call was cancelled, its stream closed, its client's process killed."""
        with self._lock:
            if not self._answered and not self.gone:
                self.gone = bool(self._sender.is_cancelled())
        return self.gone

    def painted(self, *, watched: bool) -> Made:
        """`watched`: every step is sent as it comes. Raises as `paint` does, and Cancelled and TooLate."""
        if self._wrong is not None:
            raise self._wrong
        return paint(self._infer, self._order, self._watcher() if watched else None, self._denoised)

    def answer(self, outputs: Arrays) -> None:
        """The last one."""
        self._last(inside_triton.response(outputs))

    def fail(self, error: Exception) -> None:
        self._last(inside_triton.failure(error))

    def _last(self, response: Any) -> None:
        with self._lock:
            if not self._answered:
                self._answered = True  # from here on Triton is not to be asked about it: the whole server would fall
                self._sender.send(response, flags=FINAL)

    def say_something(self) -> None:
        """Where nothing was said for long: step 0 of 0, so that a client can tell waiting from a process that died."""
        with self._lock:
            if not self._answered and time.monotonic() - self._said > SILENT_SECONDS:
                self._send(_step(0, 0, b""))

    def _send(self, outputs: Arrays) -> None:
        self._said = time.monotonic()
        self._sender.send(inside_triton.response(outputs))

    def give_up(self) -> None:
        """Tell the denoiser that nobody wants it any more; one that is being brought back has no jobs."""
        with contextlib.suppress(OmokageError, pb_utils.TritonModelException):
            for _ in inside_triton.stream("denoiser", {"cancel": text(self.job)}):
                pass

    def _left(self) -> float | None:
        """Seconds to the deadline. Raises Cancelled, TooLate."""
        if self.gone:
            raise Cancelled("whoever asked is gone; nothing more is done for it")
        if self._turn.deadline is None:
            return None
        left = self._turn.deadline - (time.monotonic() - self._came)
        if left <= 0:
            raise TooLate(f"the deadline of {self._turn.deadline:.2f} s passed; {LATE}")
        return left

    def _infer(self, model: str, inputs: Arrays) -> Arrays:
        self._left()
        began = time.monotonic()
        found = inside_triton.infer(model, inputs)
        if model == "finish":
            self._finishing.add(time.monotonic() - began)
        return found

    def _denoised(self, task: Task, on_step: OnStep | None) -> Floats:
        """By the denoiser: it batches this with all else that is under way."""
        left = self._left()
        if left is not None:
            left -= self._finishing.value
            if left < 0.001:
                raise TooLate(f"the deadline is so near that there is no time left for the steps; {LATE}")
        inputs = asked(task) | replace(self._turn, deadline=left).inputs()
        inputs |= {"job": text(self.job), "every": np.array([[0 if on_step is None else 1]], np.int64)}
        came: queue.SimpleQueue[Arrays | BaseException | None] = queue.SimpleQueue()
        Asking.denoiser = denoiser_pid(Asking.denoiser)
        self._denoising = (Asking.denoiser, came)
        threading.Thread(target=_hand_on, args=(inputs, came), daemon=True).start()
        try:
            return self._read(came, on_step)
        finally:
            self._denoising = None

    def look_after(self) -> None:
        """Whether the denoiser still lives: Triton answers nothing for a process that died, so whoever waits for it waits for ever."""
        if (denoising := self._denoising) is not None and not alive(denoising[0]):
            denoising[1].put(ServerUnreachable("the model denoiser is being brought back; repeat the request"))

    def _read(self, came: "queue.SimpleQueue[Arrays | BaseException | None]", on_step: OnStep | None) -> Floats:
        """The latents, and every step before them."""
        latent = None
        while (found := came.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            if "latent" in found:
                latent = np.array(found["latent"])
            elif on_step is not None:
                try:
                    on_step(int(found["step"].flat[0]), int(found["steps"].flat[0]), found["clean"])
                except BaseException:
                    self.give_up()
                    raise
        if latent is None:
            raise ServerFault("the denoiser ended without a result")
        return latent

    def _watcher(self) -> OnStep:
        """Sends every step, with a coarse picture or the decoder's as often as was asked for."""
        coarse, decoded = self._coarse, self._decoded
        colours = about(self._infer)["preview"]

        def watch(step: int, steps: int, clean: Floats) -> None:
            picture = b""
            if decoded > 0 and (step % decoded == 0 or step == steps):
                picture = preview.file(pixels(self._infer("vae_decoder", {"latent": clean})["picture"][0]))
            elif coarse > 0 and (step % coarse == 0 or step == steps):
                picture = preview.file(preview.coarse(clean, colours))
            with self._lock:
                self._send(_step(step, steps, picture))

        return watch


def _step(step: int, steps: int, picture: bytes) -> Arrays:
    return {"step": np.array([[step]], np.int64), "steps": np.array([[steps]], np.int64), "preview": text(picture)}


def _hand_on(inputs: Arrays, came: "queue.SimpleQueue[Arrays | BaseException | None]") -> None:
    """What the denoiser answers, to who can wait with an eye on other things. Ends with None or an error."""
    try:
        for found in inside_triton.stream("denoiser", inputs):
            came.put({name: np.array(value) for name, value in found.items()})
        came.put(None)
    except BaseException as error:
        came.put(error)


def outputs_of(made: Made) -> Arrays:
    """A portrait as the models give it."""
    likeness = np.nan if made.likeness is None else made.likeness
    return {"image": text(made.image), "likeness": np.array([[likeness]], np.float32), "report": text(json.dumps(made.report))}

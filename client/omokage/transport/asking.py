"""A request to `portrait` or `portrait_stream` while it is under way. Only inside Triton's Python backend."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from omokage import preview
from omokage.denoising import OnStep, Task, asked
from omokage.errors import Cancelled, ServerFault, TooLate
from omokage.pixels import pixels
from omokage.portrait import Made, about, paint
from omokage.system import Arrays, Floats
from omokage.texts import text
from omokage.transport import beside, inside_triton
from omokage.transport.counting import Metrics
from omokage.transport.inside_triton import Request, whole
from omokage.transport.orders import ordered, turn

LATE = "ask for fewer steps, or give it more time"
ENDING = ("vae_decoder", "publisher")  # the models that make a file of latents
KEPT = 0.9  # of a mean, at the next value
LIKENESSES = tuple(k / 10 for k in range(-2, 10))  # upper ends of the histogram


class Mean:
    """Of the last values, the newest counting most; 0 before the first."""

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, value: float) -> None:
        self.value = KEPT * self.value + (1 - KEPT) * value if self.value else value


class Portraits:
    """Those that a process of a model makes: what is counted, and what is known of how long they take.

    Metrics bear the process: where one process goes, Triton takes away what another has of the same labels, and the server falls; and should it die,
    the supervisor sees what it held.
    """

    def __init__(self, model: str) -> None:
        self.ending = {name: Mean() for name in ENDING}  # seconds that they take
        self.wordless: Arrays = {}  # what the encoders make of no words, which nearly every portrait is asked not to look like
        labels = {"model": model, "process": str(os.getpid())}
        self._metrics = Metrics()
        self.running = self._metrics.gauge("portraits_running", "portraits being made", **labels)
        self.refused = self._metrics.counter("portraits_refused", "refused because too many were under way", **labels)
        self._likeness = self._metrics.histogram("likeness", "cosine of portrait and person", LIKENESSES, **labels)

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """While a portrait is being made."""
        self.running.add(1)
        try:
            yield
        finally:
            self.running.add(-1)

    def outputs_of(self, made: Made) -> Arrays:
        """A portrait as the models give it."""
        if made.likeness is not None:
            self._likeness.observe(made.likeness)
        likeness = np.nan if made.likeness is None else made.likeness
        return {"image": text(made.image), "likeness": np.array([[likeness]], np.float32), "report": text(json.dumps(made.report))}

    def close(self) -> None:
        vars(self).clear()  # what outlives Triton's own part of the process ends it with a fault


class Asking:
    """All is read when it comes: what Triton holds of a request is not to be touched once that is answered. `gone`: whether whoever asked gave it up;
    then every further call raises Cancelled."""

    def __init__(self, request: Request, portraits: Portraits, gone: Callable[[], bool]) -> None:
        """Raises InvalidRequest."""
        self._came, self._portraits, self._gone = time.monotonic(), portraits, gone
        self._order, self._turn = ordered(request), turn(request)
        self._coarse, self._decoded = whole(request, "preview_every", 0), whole(request, "decode_every", 0)

    def painted(self, tell: Callable[[int, int, bytes], None] | None = None) -> Made:
        """`tell`: hears of every step, with a picture as often as was asked for. Raises as `paint` does, and Cancelled and TooLate."""
        return paint(self._infer, self._order, None if tell is None else self._watcher(tell), self._denoised)

    def _left(self) -> float | None:
        """Seconds to the deadline. Raises Cancelled, TooLate."""
        if self._gone():
            raise Cancelled("whoever asked is gone; nothing more is done for it")
        if self._turn.deadline is None:
            return None
        left = self._turn.deadline - (time.monotonic() - self._came)
        if left <= 0:
            raise TooLate(f"the deadline of {self._turn.deadline:.2f} s passed; {LATE}")
        return left

    def _infer(self, model: str, inputs: Arrays) -> Arrays:
        self._left()
        if model == "encode_prompt" and inputs["words"].flat[0] == b"":
            self._portraits.wordless = self._portraits.wordless or inside_triton.infer(model, inputs)
            return dict(self._portraits.wordless)
        began = time.monotonic()
        found = inside_triton.infer(model, inputs)
        if model in self._portraits.ending:
            self._portraits.ending[model].add(time.monotonic() - began)
        return found

    def _denoised(self, task: Task, on_step: OnStep | None) -> Floats:
        """By the denoiser: it batches this with all else that is under way."""
        left = self._left()
        if left is not None:
            left -= sum(mean.value for mean in self._portraits.ending.values())
            if left < 0.001:
                raise TooLate(f"the deadline is so near that there is no time left for the steps; {LATE}")
        inputs = asked(task) | replace(self._turn, deadline=left).inputs() | {"every": np.array([[0 if on_step is None else 1]], np.int64)}
        with contextlib.closing(beside.stream("denoiser", inputs, self._gone)) as answers:
            for found in answers:
                if "latent" in found:
                    return found["latent"]
                if on_step is not None:
                    on_step(int(found["step"].flat[0]), int(found["steps"].flat[0]), found["clean"])
        raise ServerFault("the denoiser ended without a result")

    def _watcher(self, tell: Callable[[int, int, bytes], None]) -> OnStep:
        """Makes a coarse picture or the decoder's as often as was asked for."""
        coarse, decoded = self._coarse, self._decoded
        colours = about(self._infer)["preview"]

        def watch(step: int, steps: int, clean: Floats) -> None:
            picture = b""
            if decoded > 0 and (step % decoded == 0 or step == steps):
                picture = preview.file(pixels(self._infer("vae_decoder", {"latent": clean})["picture"][0]))
            elif coarse > 0 and (step % coarse == 0 or step == steps):
                picture = preview.file(preview.coarse(clean, colours))
            tell(step, steps, picture)

        return watch

"""What the models `portrait` and `portrait_stream` do: requests painted side by side in threads, let go of when nobody waits for them any more.
Only inside Triton's Python backend."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import triton_python_backend_utils as pb_utils

from omokage.errors import Busy
from omokage.transport.asking import FINAL, Asking, Mean, outputs_of
from omokage.transport.inside_triton import Request, string

MOST = 64  # requests at once: more than the denoiser takes, so that it is the one that says when it is full
LOOK_SECONDS = 0.05  # between two looks at who is gone
LIKENESSES = [k / 10 for k in range(-2, 10)]  # upper ends of the histogram


class OneCall:
    """Of one model. `watched`: every step is sent."""

    def __init__(self, model: str, *, watched: bool) -> None:
        labels = {"model": model}
        # metrics die with their families, so these are kept
        self._families = {
            "running": pb_utils.MetricFamily(name="omokage_portraits_running", description="portraits being made", kind=pb_utils.MetricFamily.GAUGE),
            "refused": pb_utils.MetricFamily(
                name="omokage_portraits_refused", description="refused because too many were under way", kind=pb_utils.MetricFamily.COUNTER
            ),
            "likeness": pb_utils.MetricFamily(
                name="omokage_likeness", description="cosine of portrait and person", kind=pb_utils.MetricFamily.HISTOGRAM
            ),
        }
        self._running, self._refused = (self._families[name].Metric(labels=labels) for name in ("running", "refused"))
        self._running.set(0)  # a process of this model that died left its own number
        self._likeness = self._families["likeness"].Metric(labels=labels, buckets=LIKENESSES)
        self._watched, self._live, self._over = watched, set[Asking](), threading.Event()
        self._finishing, self._whole = Mean(), Mean()
        self._pool = ThreadPoolExecutor(MOST)
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()

    def take(self, request: Request) -> None:
        """It is answered later, by a thread of its own; at once if there are too many."""
        sender, leaving = request.get_response_sender(), string(request, "cancel")
        if leaving is not None:
            for asking in list(self._live):
                asking.gone = asking.gone or asking.name == leaving
            sender.send(flags=FINAL)
            return
        asking = Asking(request, sender, self._finishing)
        if len(self._live) >= MOST:
            self._refused.increment(1)
            asking.fail(Busy(f"{MOST} requests are under way already; try again in about {max(self._whole.value / MOST, 0.1):.1f} s"))
            return
        self._live.add(asking)
        self._running.increment(1)
        self._pool.submit(self._paint, asking)

    def close(self) -> None:
        self._pool.shutdown()
        self._over.set()
        self._looker.join()
        del self._running, self._refused, self._likeness, self._families  # what outlives Triton's own part of the process ends it with a fault

    def _paint(self, asking: Asking) -> None:
        began = time.monotonic()
        try:
            made = asking.painted(watched=self._watched)
            if made.likeness is not None:
                self._likeness.observe(made.likeness)
            asking.answer(outputs_of(made))
        except Exception as error:
            asking.fail(error)
        finally:
            self._live.discard(asking)
            self._running.increment(-1)
            self._whole.add(time.monotonic() - began)

    def _look(self) -> None:
        """Who is gone is told to the denoiser again and again until it is let go of: its job may not have come there yet."""
        while not self._over.wait(LOOK_SECONDS):
            for asking in list(self._live):
                asking.look_after()
                if asking.is_gone():
                    asking.give_up()
                elif self._watched:
                    asking.say_something()

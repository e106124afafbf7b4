"""What the denoiser counts, on Triton's own metrics endpoint. No label says whose anything is."""

import os
import queue
import threading
from collections.abc import Callable

from omokage.transport.counting import Metrics

ROWS = (1, 2, 4, 6, 8, 12, 16)
SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


class TritonMeters:
    """As the loop's `Meters`. What is told at every step is written down by a thread of its own: Triton is another process, and a step is not to
    wait until it has answered six times."""

    def __init__(self) -> None:
        metrics = Metrics()
        self._steps = metrics.counter("denoiser_steps", "calls of the UNet")
        self._rows = metrics.histogram("denoiser_rows", "rows of a step's batch", ROWS)
        self._posed = metrics.counter("denoiser_pose_rows", "rows with a ControlNet, all steps together")
        self._seconds = metrics.histogram("denoiser_step_seconds", "how long a step took", SECONDS)
        self._queue = metrics.histogram("denoiser_queue_seconds", "from a job's coming to its first step", SECONDS)
        said = "jobs that were not taken"
        self._refused = {reason: metrics.counter("denoiser_refusals", said, reason=reason) for reason in ("full", "late")}
        self._cancels = metrics.counter("denoiser_cancels", "jobs that were given up")
        self._misses = metrics.counter("denoiser_deadline_misses", "jobs that were given up because their deadline could not be met any more")
        self._running = metrics.gauge("denoiser_running_rows", "rows under way")
        self._waiting = metrics.gauge("denoiser_waiting", "jobs in line")
        self._asked = metrics.gauge("portraits_running", "portraits being made", model="denoiser", process=str(os.getpid()))
        self._metrics = metrics
        self._last = (-1, -1)
        self._later: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write)
        self._writer.start()

    def _write(self) -> None:
        while (change := self._later.get()) is not None:
            change()

    def stepped(self, rows: int, posed: int, seconds: float) -> None:
        self._later.put(lambda: self._stepped(rows, posed, seconds))

    def _stepped(self, rows: int, posed: int, seconds: float) -> None:
        self._steps.add(1)
        self._rows.observe(rows)
        self._seconds.observe(seconds)
        if posed:
            self._posed.add(posed)

    def joined(self, waited: float) -> None:
        self._later.put(lambda: self._queue.observe(waited))

    def refused(self, reason: str) -> None:
        self._refused[reason].add(1)

    def cancelled(self) -> None:
        self._cancels.add(1)

    def missed(self) -> None:
        self._misses.add(1)

    def busy(self, rows: int, waiting: int) -> None:
        if (rows, waiting) != self._last:
            self._last = rows, waiting
            self._later.put(lambda: self._busy(rows, waiting))

    def _busy(self, rows: int, waiting: int) -> None:
        self._running.set(rows)
        self._waiting.set(waiting)

    def asked(self, more: int) -> None:
        """By Triton's clients: they wait for ever if this process dies, so the server must be begun anew then."""
        self._asked.add(more)

    def close(self) -> None:
        """Before the process ends: metrics that outlive Triton's own part of it end it with a fault."""
        self._later.put(None)
        self._writer.join()
        vars(self).clear()

"""What the denoiser counts, on Triton's own metrics endpoint. No label says whose anything is."""

from typing import Any

import triton_python_backend_utils as pb_utils

ROWS = [1, 2, 4, 6, 8, 12, 16]
SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]


class TritonMeters:
    """As the loop's `Meters`."""

    def __init__(self) -> None:
        self._families: list[Any] = []  # metrics die with them
        kinds = pb_utils.MetricFamily
        self._steps = self._metric("steps", "calls of the UNet", kinds.COUNTER)
        self._rows = self._metric("rows", "rows of a step's batch", kinds.HISTOGRAM, buckets=ROWS)
        self._posed = self._metric("pose_rows", "rows with a ControlNet, all steps together", kinds.COUNTER)
        self._seconds = self._metric("step_seconds", "how long a step took", kinds.HISTOGRAM, buckets=SECONDS)
        self._queue = self._metric("queue_seconds", "from a job's coming to its first step", kinds.HISTOGRAM, buckets=SECONDS)
        refused = self._family("refusals", "jobs that were not taken", kinds.COUNTER)
        self._refused = {reason: refused.Metric(labels={"reason": reason}) for reason in ("full", "late")}
        self._cancels = self._metric("cancels", "jobs that were given up", kinds.COUNTER)
        self._misses = self._metric("deadline_misses", "jobs whose deadline passed", kinds.COUNTER)
        self._running = self._metric("running_rows", "rows under way", kinds.GAUGE)
        self._waiting = self._metric("waiting", "jobs in line", kinds.GAUGE)

    def _family(self, name: str, says: str, kind: Any) -> Any:
        self._families.append(pb_utils.MetricFamily(name=f"omokage_denoiser_{name}", description=says, kind=kind))
        return self._families[-1]

    def _metric(self, name: str, says: str, kind: Any, **given: Any) -> Any:
        return self._family(name, says, kind).Metric(labels={}, **given)

    def stepped(self, rows: int, posed: int, seconds: float) -> None:
        self._steps.increment(1)
        self._rows.observe(rows)
        self._seconds.observe(seconds)
        if posed:
            self._posed.increment(posed)

    def joined(self, waited: float) -> None:
        self._queue.observe(waited)

    def refused(self, reason: str) -> None:
        self._refused[reason].increment(1)

    def cancelled(self) -> None:
        self._cancels.increment(1)

    def missed(self) -> None:
        self._misses.increment(1)

    def busy(self, rows: int, waiting: int) -> None:
        self._running.set(rows)
        self._waiting.set(waiting)

    def close(self) -> None:
        """Before the process ends: metrics that outlive Triton's own part of it end it with a fault."""
        vars(self).clear()

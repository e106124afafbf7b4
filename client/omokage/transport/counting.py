"""Metrics on Triton's own endpoint. Only inside Triton's Python backend."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import triton_python_backend_utils as pb_utils


class Metrics:
    """Of one process. Any thread may change them, and they take turns: where two change one metric at once, Triton 2.51 reads what the one has
    written over, and the whole server falls."""

    def __init__(self) -> None:
        self._families: dict[str, Any] = {}  # metrics die with them
        self._one_at_a_time = threading.Lock()

    def counter(self, name: str, says: str, **labels: str) -> "Metric":
        return self._metric(name, says, pb_utils.MetricFamily.COUNTER, labels)

    def gauge(self, name: str, says: str, **labels: str) -> "Metric":
        """It is 0: a process of this model that died left its own number."""
        found = self._metric(name, says, pb_utils.MetricFamily.GAUGE, labels)
        found.set(0)
        return found

    def histogram(self, name: str, says: str, buckets: Sequence[float], **labels: str) -> "Metric":
        """`buckets`: their upper ends."""
        return self._metric(name, says, pb_utils.MetricFamily.HISTOGRAM, labels, buckets=list(buckets))

    def _metric(self, name: str, says: str, kind: Any, labels: Mapping[str, str], **given: Any) -> "Metric":
        if name not in self._families:
            self._families[name] = pb_utils.MetricFamily(name=f"omokage_{name}", description=says, kind=kind)
        return Metric(self._families[name].Metric(labels=dict(labels), **given), self._one_at_a_time)


class Metric:
    def __init__(self, metric: Any, lock: threading.Lock) -> None:
        self._metric, self._lock = metric, lock

    def add(self, more: float) -> None:
        with self._lock:
            self._metric.increment(more)

    def set(self, value: float) -> None:
        with self._lock:
            self._metric.set(value)

    def observe(self, value: float) -> None:
        with self._lock:
            self._metric.observe(value)

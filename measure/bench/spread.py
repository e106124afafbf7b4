"""Medians with their spread."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median and quartiles beside all values."""
    low, middle, high = (percentile(values, share) for share in (25, 50, 75))
    return {"median": round(middle, 5), "quartiles": [round(low, 5), round(high, 5)], "all": [round(value, 5) for value in values]}


def spreads(seconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    return {name: spread(values) for name, values in seconds.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """`share`: 0 to 100; between two values the line between them."""
    return float(np.percentile(values, share))


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the medians."""
    return round(statistics.median(one) / statistics.median(other), 3)


def against_fastest(seconds: Mapping[str, Sequence[float]], ours: str, counted: Sequence[str]) -> tuple[float, str]:
    """(how many times as fast as the fastest of the others we are, which that is)."""
    fastest = min((name for name in counted if name != ours), key=lambda name: statistics.median(seconds[name]))
    return ratio(seconds[fastest], seconds[ours]), fastest


def grown(values: Sequence[float]) -> float:
    """By which share a straight line through the last half of them rises."""
    half = np.asarray(values[len(values) // 2 :], np.float64)
    slope, start = np.polyfit(np.arange(len(half)), half, 1)
    return float(slope * (len(half) - 1) / start)

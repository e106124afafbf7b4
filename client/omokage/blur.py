"""Means over squares, and what lies between places, in plain numpy: the same numbers on every machine."""

import numpy as np

from omokage.system import Floats


def blurred(values: Floats, reach: int) -> Floats:
    """[H, W]: the mean over `reach` pixels to every side; beyond the edge there are zeros."""
    for axis in (0, 1):
        margins = [(reach + 1, reach) if one == axis else (0, 0) for one in (0, 1)]
        total = np.cumsum(np.pad(values, margins), axis, dtype=np.float64)
        count = 2 * reach + 1
        ends, begins = np.arange(count, total.shape[axis]), np.arange(total.shape[axis] - count)
        values = np.asarray((np.take(total, ends, axis) - np.take(total, begins, axis)) / count, np.float32)
    return values


def softened(values: Floats, reach: int) -> Floats:
    """[H, W]: the same, but the mean of what is not beyond the edge."""
    return np.asarray(blurred(values, reach) / blurred(np.ones_like(values), reach), np.float32)


def stretched(values: Floats, times: int) -> Floats:
    """[C, times * H, times * W]: values [C, H, W] so many times as large, linearly between middles of places."""
    for axis in (1, 2):
        count = values.shape[axis]
        place = np.clip((np.arange(count * times) + 0.5) / times - 0.5, 0, count - 1)
        before = np.minimum(place.astype(int), count - 2)
        share = (place - before).astype(np.float32).reshape([-1 if one == axis else 1 for one in range(3)])
        first, second = np.take(values, before, axis), np.take(values, before + 1, axis)
        values = np.asarray(first + share * (second - first), np.float32)
    return values

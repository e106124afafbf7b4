"""Guidance: the branches' predictions as one."""

import numpy as np

from omokage.samplers.table import Floats


def guided(predictions: Floats, weights: Floats) -> Floats:
    """The branches' predictions [R, ...] summed with their weights [R], one after another; classifier-free guidance is (w, 1 - w).

    Ho and Salimans 2022, eq. 6.
    """
    total = weights[0] * predictions[0]
    for weight, prediction in zip(weights[1:], predictions[1:], strict=True):
        total = total + weight * prediction
    return np.asarray(total, np.float32)

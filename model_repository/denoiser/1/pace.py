"""How long steps take, as measured, and what follows from it: who still fits in, and when somebody will be done. Needs no Triton."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FORGETTING = 0.99  # what a measurement still counts at the next one
RIDGE = 1e-6  # keeps the weights small in what was never measured


class Pace:
    """Seconds of a step: so much for any, for each row, and for each row with a ControlNet, none below zero; least squares over the last hundred
    steps or so."""

    def __init__(self) -> None:
        self._squares, self._products = np.eye(3) * RIDGE, np.zeros(3)
        self._weights: Floats | None = None  # fitted when they are asked for: a lone picture's steps do not wait for it

    def measured(self, rows: int, posed: int, seconds: float) -> None:
        seen = np.array([1.0, rows, posed])
        self._squares = FORGETTING * self._squares + np.outer(seen, seen) + (1 - FORGETTING) * RIDGE * np.eye(3)
        self._products = FORGETTING * self._products + seen * seconds
        self._weights = None

    def seconds(self, rows: int, posed: float) -> float:
        if self._weights is None:
            self._weights = _not_negative(self._squares, self._products)
        return float(self._weights @ (1.0, rows, posed))


def _not_negative(squares: Floats, products: Floats) -> Floats:
    """The w of least w'Sw - 2p'w that has nothing below zero: of all ways to hold some of three at zero the best (Lawson and Hanson 1974, ch. 23)."""
    best, least = np.zeros(len(products)), 0.0
    for used in (list(some) for count in range(1, len(products) + 1) for some in combinations(range(len(products)), count)):
        weights = np.zeros(len(products))
        weights[used] = np.linalg.solve(squares[np.ix_(used, used)], products[used])
        off = float(weights @ squares @ weights - 2 * products @ weights)
        if (weights >= 0).all() and off < least:
            best, least = weights, off
    return best


@dataclass(frozen=True)
class Load:
    """What a picture asks of the steps: rows of the UNet, rows of the ControlNet, steps that are left."""

    rows: int
    posed: float  # in the mean of its steps
    steps: int


@dataclass(frozen=True)
class Limits:
    """`rows`: of a batch; `waiting`: pictures in line; `step_seconds`: of one step, where that can be had: it is how long a cancel may take;
    `together`: rows that may be together however long a step takes, so that on a slow machine a short picture does not wait for a long one to end."""

    rows: int = 16
    waiting: int = 32
    step_seconds: float = 1.0
    together: int = 4

    def fits(self, pace: Pace, running: Sequence[Load], load: Load) -> bool:
        """Whether a picture may join those that are running; a lone one always may."""
        rows, posed = sum(one.rows for one in running) + load.rows, sum(one.posed for one in running) + load.posed
        return not running or (rows <= self.rows and (rows <= self.together or pace.seconds(rows, posed) <= self.step_seconds))


def seconds_until_done(pace: Pace, limits: Limits, running: Sequence[Load], waiting: Sequence[Load]) -> float:
    """Until the last of those in line is done, if nobody gives up. Where there is a line, those who come later take the places of those who go, so
    steps stay as long as they are when it gets in; else nobody else comes."""
    crowded = len(waiting) > 1
    now, inside, line = 0.0, list(running), list(waiting)
    last: int | None = None  # its place inside
    while True:
        while line and limits.fits(pace, inside, line[0]):
            inside.append(line.pop(0))
            last = len(inside) - 1 if not line else None
        if crowded and last is not None:
            return now + inside[last].steps * pace.seconds(sum(load.rows for load in inside), sum(load.posed for load in inside))
        shortest = min(load.steps for load in inside)
        now += shortest * pace.seconds(sum(load.rows for load in inside), sum(load.posed for load in inside))
        if last is not None and inside[last].steps == shortest:
            return now
        gone = 0 if last is None else sum(load.steps == shortest for load in inside[:last])
        last = None if last is None else last - gone
        inside = [replace(load, steps=load.steps - shortest) for load in inside if load.steps > shortest]

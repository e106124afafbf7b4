"""UniPC (Zhao et al. 2023) of second order with B(h) = e^h - 1: every new prediction first corrects the sample that it was made for."""

import math

import numpy as np
import numpy.typing as npt

from omokage.samplers.schedule import Schedule, trailing
from omokage.samplers.table import CLEAN, NOISE, Step, Table, row

Weights = npt.NDArray[np.float64]
_BEFORE, _LAST, _LAST_BUT_ONE = 2, 3, 4  # remembered: the corrected sample one step ago, the clean ones one and two steps ago


def unipc(schedule: Schedule, steps: int) -> Table:
    """The first and the last step are of first order."""
    walk = [*trailing(steps), -1]
    orders = [min(2, number + 1, steps - number) for number in range(steps)]
    made = []
    for number in range(steps):
        corrected = np.array(row(sample=1.0)) if number == 0 else _corrected(schedule, walk, number, orders[number - 1])
        following = _predicted(schedule, walk, number, orders[number], corrected)
        remembered = (corrected, np.array(row(clean=1.0)), np.array(row(remembered=(0.0, 1.0))))
        made.append(Step(walk[number], schedule.clean(walk[number]), tuple(tuple(one.tolist()) for one in (following, *remembered))))
    return Table(tuple(made))


def _logarithm(schedule: Schedule, timestep: int) -> float:
    """Of signal over noise; infinite at the end."""
    return math.inf if timestep < 0 else -math.log(schedule.sigma(timestep))


def _unit(place: int) -> Weights:
    return np.asarray(np.eye(NOISE + 1)[place])


def _corrected(schedule: Schedule, walk: list[int], number: int, order: int) -> Weights:
    """Weights of the corrected sample. Zhao et al. 2023, eq. 9; `order`: of the step that led here."""
    before, here = walk[number - 1], walk[number]
    way = _logarithm(schedule, here) - _logarithm(schedule, before)
    shrunk = math.expm1(-way)
    first = schedule.noise(here) / schedule.noise(before) * _unit(_BEFORE) - schedule.signal(here) * shrunk * _unit(_LAST)
    newest = _unit(CLEAN) - _unit(_LAST)
    if order == 1:
        bent = 0.5 * newest
    else:
        share = (_logarithm(schedule, walk[number - 2]) - _logarithm(schedule, before)) / way
        phi = shrunk / -way - 1
        wanted = [phi / shrunk, 2 * (phi / -way - 0.5) / shrunk]
        old, new = np.linalg.solve(np.array([[1.0, 1.0], [share, 1.0]]), wanted)
        bent = old * (_unit(_LAST_BUT_ONE) - _unit(_LAST)) / share + new * newest
    return np.asarray(first - schedule.signal(here) * shrunk * bent)


def _predicted(schedule: Schedule, walk: list[int], number: int, order: int, corrected: Weights) -> Weights:
    """Weights of the next sample. Zhao et al. 2023, eq. 3."""
    here, after = walk[number], walk[number + 1]
    way = _logarithm(schedule, after) - _logarithm(schedule, here)
    shrunk = math.expm1(-way)
    first = schedule.noise(after) / schedule.noise(here) * corrected - schedule.signal(after) * shrunk * _unit(CLEAN)
    if order == 1:
        return np.asarray(first)
    share = (_logarithm(schedule, walk[number - 1]) - _logarithm(schedule, here)) / way
    bent = 0.5 * (_unit(_LAST) - _unit(CLEAN)) / share
    return np.asarray(first - schedule.signal(after) * shrunk * bent)

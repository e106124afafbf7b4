"""DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2): the clean sample as a line through the last two."""

import math
from itertools import pairwise

from omokage.samplers.schedule import Schedule, trailing
from omokage.samplers.table import Step, Table, row


def dpm_solver(schedule: Schedule, steps: int) -> Table:
    """The first and the last step are of first order. Remembered: the last clean sample."""
    walk = trailing(steps)
    made = []
    for number, (here, after) in enumerate(pairwise([*walk, -1])):
        far = -math.expm1(-_way(schedule, here, after)) * schedule.signal(after)
        bend = 0.0
        if 0 < number < steps - 1:
            bend = 0.5 * _way(schedule, here, after) / _way(schedule, walk[number - 1], here)
        weights = row(sample=schedule.noise(after) / schedule.noise(here), clean=far * (1 + bend), remembered=(-far * bend,))
        made.append(Step(here, schedule.clean(here), (weights, row(clean=1.0))))
    return Table(tuple(made))


def _way(schedule: Schedule, here: int, after: int) -> float:
    """How far the logarithm of signal over noise goes; infinite to the end."""
    return math.inf if after < 0 else math.log(schedule.sigma(here) / schedule.sigma(after))

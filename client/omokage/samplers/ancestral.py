"""Euler ancestral (Katherine Crowson, k-diffusion 2022): a step too far, and new noise back."""

from itertools import pairwise

from omokage.samplers.schedule import Schedule, trailing
from omokage.samplers.table import Step, Table, row


def euler_ancestral(schedule: Schedule, steps: int) -> Table:
    """The variance of the new noise is that of the step's posterior (Ho et al. 2020, eq. 7)."""
    made = []
    for here, after in pairwise([*trailing(steps), -1]):
        now, then = schedule.sigma(here), schedule.sigma(after)
        up = (then**2 * (now**2 - then**2) / now**2) ** 0.5
        down = (then**2 - up**2) ** 0.5
        signal = schedule.signal(after)
        weights = row(sample=signal * down / now / schedule.signal(here), clean=signal * (1 - down / now), noise=signal * up)
        made.append(Step(here, schedule.clean(here), (weights,)))
    return Table(tuple(made), start=schedule.noise(trailing(steps)[0]))

"""DDIM (Song et al. 2021, eq. 12, without new noise), and Euler's method for the same equation (Karras et al. 2022, algorithm 1 without churn)."""

from dataclasses import replace
from itertools import pairwise

from omokage.samplers.schedule import Schedule, trailing
from omokage.samplers.table import Step, Table, row


def jump(schedule: Schedule, here: int, after: int) -> Step:
    """From one trained step to a later one, -1 for the end: the noise is what the sample has beside the clean one, and stays."""
    kept = schedule.noise(after) / schedule.noise(here)
    return Step(here, schedule.clean(here), (row(sample=kept, clean=schedule.signal(after) - kept * schedule.signal(here)),))


def ddim(schedule: Schedule, steps: int) -> Table:
    return Table(tuple(jump(schedule, here, after) for here, after in pairwise([*trailing(steps), -1])))


def inverse(schedule: Schedule, steps: int) -> Table:
    """The way back, from clean latents to the noise that DDIM would make them of: each step believes what the one before it saw (Song et al. 2021,
    section 4.3). It begins at the last step before the end, with no noise, and takes one step less, but at least one."""
    back = trailing(max(steps, 2))[::-1]
    return Table(tuple(jump(schedule, here, after) for here, after in pairwise(back)), start=schedule.signal(back[0]))


def euler(schedule: Schedule, steps: int) -> Table:
    """In noise over signal Euler's step is DDIM's; only the first sample is scaled otherwise, as that of a process without end."""
    return replace(ddim(schedule, steps), start=schedule.noise(trailing(steps)[0]))

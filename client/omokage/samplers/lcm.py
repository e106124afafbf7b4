"""LCM (Luo et al. 2023, algorithm 3): jump to the clean sample, put new noise on it, jump again."""

from itertools import pairwise

from omokage.samplers.schedule import TRAINED_STEPS, Schedule
from omokage.samplers.table import Step, Table, row

TEACHER_STEPS = 50  # of the sampler whose jumps were learned
TIME_SCALE, SIGMA_DATA = 10.0, 0.5  # of the boundary condition, eq. 9 and appendix C


def lcm(schedule: Schedule, steps: int) -> Table:
    """At most as many steps as the teacher has; the boundary condition mixes in a little of the sample."""
    known = [(k + 1) * TRAINED_STEPS // TEACHER_STEPS - 1 for k in reversed(range(TEACHER_STEPS))]
    walk = [known[k * TEACHER_STEPS // steps] for k in range(steps)]
    made = []
    for here, after in pairwise([*walk, -1]):
        scaled = here * TIME_SCALE
        kept = SIGMA_DATA**2 / (scaled**2 + SIGMA_DATA**2)
        jump = scaled / (scaled**2 + SIGMA_DATA**2) ** 0.5
        signal = schedule.signal(after)
        made.append(Step(here, schedule.clean(here), (row(sample=signal * kept, clean=signal * jump, noise=schedule.noise(after)),)))
    return Table(tuple(made))

"""Samplers as tables: what every step multiplies and adds is known before the first one."""

from collections.abc import Callable

from omokage.samplers.ancestral import euler_ancestral
from omokage.samplers.ddim import ddim, euler, inverse, jump
from omokage.samplers.dpm_solver import dpm_solver
from omokage.samplers.guidance import guided
from omokage.samplers.lcm import TEACHER_STEPS, lcm
from omokage.samplers.schedule import SCHEDULES, TRAINED_STEPS, Schedule
from omokage.samplers.table import Step, Table, advance, begin
from omokage.samplers.unipc import unipc

SAMPLERS: dict[str, Callable[[Schedule, int], Table]] = {
    "ddim": ddim,
    "euler": euler,
    "euler-ancestral": euler_ancestral,
    "dpm-solver": dpm_solver,
    "unipc": unipc,
    "lcm": lcm,
}
"""Name -> (schedule, steps) -> table."""
INVERSE = "ddim-inverse"
TABLES = SAMPLERS | {INVERSE: inverse}
"""What the denoiser runs: samplers, and the way back from a picture to noise."""
MOST_STEPS = {"lcm": TEACHER_STEPS}
"""Of samplers that have a limit."""

__all__ = [
    "INVERSE",
    "MOST_STEPS",
    "SAMPLERS",
    "SCHEDULES",
    "TABLES",
    "TRAINED_STEPS",
    "Schedule",
    "Step",
    "Table",
    "advance",
    "begin",
    "guided",
    "jump",
]

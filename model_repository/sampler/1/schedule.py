"""How much signal is left at each of a thousand steps. Pure functions; needs no Triton."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

TRAINED_STEPS = 1000
Floats = npt.NDArray[np.float64]


def cosine() -> Floats:
    """Cumulated alphas [1000] of the cosine schedule. Nichol and Dhariwal 2021, eq. 17, with betas of .999 at most."""

    def share(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    times = [k / TRAINED_STEPS for k in range(TRAINED_STEPS + 1)]
    betas = [min(1 - share(after) / share(before), 0.999) for before, after in pairwise(times)]
    return np.cumprod(1 - np.array(betas))


def scaled_linear(first: float = 0.00085, last: float = 0.012) -> Floats:
    """Cumulated alphas [1000] of Stable Diffusion 1 and XL: betas linear in their root."""
    return np.cumprod(1 - np.linspace(first**0.5, last**0.5, TRAINED_STEPS) ** 2)


SCHEDULES = {"cosine": cosine, "scaled_linear": scaled_linear}

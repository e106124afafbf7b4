"""How much signal is left at each of a thousand steps."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

TRAINED_STEPS = 1000
Alphas = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Prediction = Literal["v", "epsilon"]


@dataclass(frozen=True)
class Schedule:
    """Cumulated alphas [1000] of a family, falling, and what its UNet predicts."""

    alphas: Alphas
    prediction: Prediction

    def signal(self, timestep: int) -> float:
        """The root of the signal's share of the variance; -1 is the end, where nothing else is left."""
        return 1.0 if timestep < 0 else float(self.alphas[timestep] ** 0.5)

    def noise(self, timestep: int) -> float:
        """The root of the noise's share of the variance."""
        return 0.0 if timestep < 0 else float((1 - self.alphas[timestep]) ** 0.5)

    def sigma(self, timestep: int) -> float:
        """Noise over signal. Karras et al. 2022."""
        return self.noise(timestep) / self.signal(timestep)

    def clean(self, timestep: int) -> tuple[float, float]:
        """(a, b): a times the sample and b times the prediction is the clean sample as expected. Salimans and Ho 2022, appendix D, for v."""
        signal, noise = self.signal(timestep), self.noise(timestep)
        return (signal, -noise) if self.prediction == "v" else (1 / signal, -noise / signal)

    def wanted(self, timestep: int, sample: Floats, latent: Floats) -> Floats:
        """The prediction that means these clean latents: `clean`, the other way round."""
        kept, told = self.clean(timestep)
        return np.asarray((latent - np.float32(kept) * sample) / np.float32(told), np.float32)


def trailing(steps: int) -> list[int]:
    """The trained steps of a run, from the noisiest on, evenly spaced from the end. Lin et al. 2024, table 2."""
    return [round(TRAINED_STEPS - k * TRAINED_STEPS / steps) - 1 for k in range(steps)]


def cosine() -> Alphas:
    """Nichol and Dhariwal 2021, eq. 17, with betas of .999 at most."""

    def share(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    times = [k / TRAINED_STEPS for k in range(TRAINED_STEPS + 1)]
    betas = [min(1 - share(after) / share(before), 0.999) for before, after in pairwise(times)]
    return np.cumprod(1 - np.array(betas))


def scaled_linear(first: float = 0.00085, last: float = 0.012) -> Alphas:
    """Stable Diffusion 1 and XL: betas linear in their root."""
    return np.cumprod(1 - np.linspace(first**0.5, last**0.5, TRAINED_STEPS) ** 2)


SCHEDULES: dict[str, Callable[[], Alphas]] = {"cosine": cosine, "scaled_linear": scaled_linear}

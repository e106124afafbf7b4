"""What a sampler is: some rows of numbers a step.

Every sampler here is linear in the sample, the clean sample as expected, what it remembers and new noise; so one function advances them all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
REMEMBERED = 3  # arrays beside the sample
SAMPLE, CLEAN, NOISE = 0, 1, 2 + REMEMBERED  # places in a row; between them what is remembered
Row = tuple[float, ...]
"""What is multiplied with (sample, clean, remembered 1 to 3, noise) and added up."""


@dataclass(frozen=True)
class Step:
    """`clean`: of sample and prediction; `rows`: the next sample, then what is remembered from here on."""

    timestep: int
    clean: tuple[float, float]
    rows: tuple[Row, ...]

    @property
    def needs_noise(self) -> bool:
        return any(row[NOISE] for row in self.rows)


@dataclass(frozen=True)
class Table:
    """`start`: what the noise of the seed is multiplied with to be the first sample."""

    steps: tuple[Step, ...]
    start: float = 1.0


def row(*, sample: float = 0.0, clean: float = 0.0, remembered: tuple[float, ...] = (), noise: float = 0.0) -> Row:
    """A row from what it has; the rest is zeros."""
    return (sample, clean, *remembered, *[0.0] * (REMEMBERED - len(remembered)), noise)


def begin(table: Table, noise: Floats) -> Floats:
    """[1 + remembered, ...] the first state, of noise [...]."""
    return np.stack([np.float32(table.start) * noise, *[np.zeros_like(noise)] * REMEMBERED])


def advance(step: Step, state: Floats, prediction: Floats, noise: Floats | None = None) -> tuple[Floats, Floats]:
    """(the next state [1 + remembered, ...], the clean sample [...] as expected now), both float32.

    Sums are made number by number in a fixed order, so what else is in a batch changes nothing. Raises ValueError where a step that
    `needs_noise` gets none.
    """
    if noise is None and step.needs_noise:
        raise ValueError(f"the step at {step.timestep} needs new noise, and got none; give one [...] like the sample")
    clean = np.float32(step.clean[0]) * state[SAMPLE] + np.float32(step.clean[1]) * prediction
    known = [state[SAMPLE], clean, *state[1:], noise]
    made = np.zeros_like(state)
    for place, weights in enumerate(step.rows):
        for weight, part in zip(weights, known, strict=True):
            if weight and part is not None:
                made[place] += np.float32(weight) * part
    return made, clean

"""A picture that is being denoised: what stays over its steps, how far it is, and who hears of it. Needs no Triton."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from omokage import noise
from omokage.denoising import Known
from omokage.errors import OmokageError
from omokage.samplers import Table, advance, begin, guided
from omokage.system import Arrays, Floats


class Told(Protocol):
    """Who asked. None of these may raise; after `done` or `failed` nothing more is told."""

    def stepped(self, number: int, steps: int, clean: Floats) -> None: ...

    def done(self, latent: Floats) -> None: ...

    def failed(self, error: OmokageError) -> None: ...

    def cancelled(self) -> bool: ...


@dataclass(eq=False)
class Job:
    """`weights` [R] of its branches; `alone` [n]: of the first of them after the guided steps, the others are not computed then; `rows`: their arrays
    [R, ...] by the UNet's names; `later`: those [n, ...] that take the place of some after the guided steps; `posed`: those that the ControlNet takes
    beside them, None without a pose; `looks`: in which steps it runs; `head`: what is held in it; `shape`: of its latents [C, h, w].
    `deadline` and `came`: seconds on the denoiser's clock."""

    weights: Floats
    rows: Arrays
    posed: Arrays | None
    table: Table
    seed: int
    shape: tuple[int, ...]
    told: Told
    name: str = ""
    client: str = ""
    priority: int = 0
    head: Known | None = None
    alone: Floats | None = None
    later: Arrays = field(default_factory=dict)
    guided_steps: int = 0
    looks: Sequence[bool] = ()
    deadline: float | None = None
    came: float = 0.0
    given_up: bool = False
    number: int = 0  # steps that are done
    start: Floats | None = None  # [1, C, h, w], what it begins with
    first: Floats = field(init=False)  # the same, or the noise of the seed
    state: Floats = field(init=False)  # [1 + remembered, 1, C, h, w]

    def __post_init__(self) -> None:
        self.first = noise.normal(self.seed, (1, *self.shape)) if self.start is None else self.start
        self.state = begin(self.table, self.first)

    @property
    def width(self) -> int:
        """Rows of a batch that it takes."""
        return len(self.weights)

    @property
    def looking(self) -> bool:
        """Whether the ControlNet takes part in its next step."""
        return self.posed is not None and self.looks[self.number]

    @property
    def posed_width(self) -> float:
        """Rows of the ControlNet in one of its steps, in the mean."""
        return 0 if self.posed is None else self.width * sum(self.looks) / len(self.looks)

    @property
    def left(self) -> int:
        """Steps that it still takes."""
        return len(self.table.steps) - self.number

    @property
    def timestep(self) -> int:
        return self.table.steps[self.number].timestep

    def advance(self, predictions: Floats) -> Floats:
        """One step by the predictions [R, C, h, w] of its rows; returns the clean latents [1, C, h, w] as expected now."""
        step = self.table.steps[self.number]
        self.number += 1
        new = noise.normal(self.seed, (1, *self.shape), self.number) if step.needs_noise else None
        self.state, clean = advance(step, self.state, guided(predictions, self.weights)[None], new)
        if self.head is not None:
            self.state[0] = self.head.over(self.state[0], self.first, self.timestep if self.left else -1)
        if self.alone is not None and self.number == self.guided_steps:
            self.weights = self.alone
        return clean

    @property
    def latent(self) -> Floats:
        """[1, C, h, w]."""
        return np.ascontiguousarray(self.state[0])

"""From branches to latents: the loop over the steps, whoever runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omokage import noise
from omokage.samplers import Table, advance, begin
from omokage.systems.base import Branch, Floats, Infer, scalar

OnStep = Callable[[int, int, Floats], None]
"""Called after every step with its number from 1, how many there are, and the latents [1, C, h, w] that the end is expected to be."""


@dataclass(frozen=True)
class Shapes:
    """Of a family: latents [C, h, w], tokens of a face, width of the face's keys and values for the ControlNet of poses."""

    latent: tuple[int, int, int]
    face_tokens: int
    pose_width: int


@dataclass(frozen=True)
class Pose:
    """A condition picture [1, 3, H, W] in 0..1, latents [1, C, h, w] of the face's texture laid onto it, and how strongly both are followed."""

    condition: Floats
    reference: Floats
    strength: float


@dataclass(frozen=True)
class Known:
    """A part of the picture that is known beforehand, and held there while the rest is mostly noise (Lugmayr et al. 2022, eq. 8).

    `latent` [1, C, h, w], `cover` [1, 1, h, w] in 0..1; `levels`: of every step, signal and noise in the sample after it, None where nothing is held
    any more.
    """

    latent: Floats
    cover: Floats
    levels: tuple[tuple[float, float] | None, ...]

    def over(self, sample: Floats, noise: Floats, level: tuple[float, float]) -> Floats:
        """The sample [1, C, h, w] with what is known in it, under the given noise [1, C, h, w]."""
        part = np.float32(level[0]) * self.latent + np.float32(level[1]) * noise
        return sample + self.cover * (part - sample)


def denoise(
    infer: Infer,
    shapes: Shapes,
    branches: Sequence[Branch],
    table: Table,
    *,
    seed: int,
    pose: Pose | None = None,
    head: Known | None = None,
    on_step: OnStep | None = None,
) -> Floats:
    """Clean latents [1, C, h, w] from the noise of a seed by a sampler's table; every branch is a row of the same batch.

    Stream 0 of the seed is the first sample, and the noise over what is held; stream n is the new noise of step n.
    """
    rows, shape = len(branches), (1, *shapes.latent)
    nobody = np.zeros((1, shapes.face_tokens, branches[0].text_kv.shape[2]), np.float32)
    fixed = {
        "text_kv": np.concatenate([branch.text_kv for branch in branches]),
        "id_kv": np.concatenate([nobody if branch.id_kv is None else branch.id_kv for branch in branches]),
        "weight": np.array([branch.weight for branch in branches], np.float32),
    }
    if pose is not None:
        fixed |= _posed(branches, shapes, pose)
    first = noise.normal(seed, shape)
    state = begin(table, first)
    following = [step.timestep for step in table.steps[1:]] + [-1]
    for number, (step, after) in enumerate(zip(table.steps, following, strict=True), start=1):
        given = fixed | {
            "sample": np.repeat(state[0], rows, 0),
            "timestep": np.full(rows, step.timestep, np.int64),
            "next_timestep": np.full(rows, after, np.int64),
        }
        made = infer("denoise_step" if pose is None else "denoise_step_pose", given)
        state, clean = advance(step, state, made["guided"][:1], noise.normal(seed, shape, number) if step.needs_noise else None)
        if head is not None and (level := head.levels[number - 1]) is not None:
            state[0] = head.over(state[0], first, level)
        if on_step is not None:
            on_step(number, len(table.steps), clean)
    return np.ascontiguousarray(state[0])


def _posed(branches: Sequence[Branch], shapes: Shapes, pose: Pose) -> dict[str, Floats]:
    """What the ControlNet wants: the pose for every row, the face's keys and values for those that have one, nobody's for the others."""
    nobody = np.zeros((1, shapes.face_tokens, shapes.pose_width), np.float32)
    return {
        "condition": np.repeat(pose.condition, len(branches), 0),
        "reference": np.repeat(pose.reference, len(branches), 0),
        "pose_kv": np.concatenate([nobody if branch.pose_kv is None else branch.pose_kv for branch in branches]),
        "strength": np.repeat(scalar(pose.strength), len(branches)),
    }

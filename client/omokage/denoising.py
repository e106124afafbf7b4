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


def denoise(
    infer: Infer, shapes: Shapes, branches: Sequence[Branch], table: Table, *, seed: int, pose: Pose | None = None, on_step: OnStep | None = None
) -> Floats:
    """Clean latents [1, C, h, w] from the noise of a seed by a sampler's table; every branch is a row of the same batch.

    Stream 0 of the seed is the first sample, stream n the new noise of step n.
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
    state = begin(table, noise.normal(seed, shape))
    following = [step.timestep for step in table.steps[1:]] + [-1]
    for number, (step, after) in enumerate(zip(table.steps, following, strict=True), start=1):
        given = fixed | {
            "sample": np.repeat(state[0], rows, 0),
            "timestep": np.full(rows, step.timestep, np.int64),
            "next_timestep": np.full(rows, after, np.int64),
        }
        made = infer("denoise_step" if pose is None else "denoise_step_pose", given)
        state, clean = advance(step, state, made["guided"][:1], noise.normal(seed, shape, number) if step.needs_noise else None)
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

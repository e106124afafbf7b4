"""From branches to latents: the loop over the steps, whoever runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from omokage import noise
from omokage.systems.base import Branch, Floats, Infer, scalar

TRAINED_STEPS = 1000
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
    """A condition picture [1, 3, H, W] in 0..1, and how strongly it is followed."""

    condition: Floats
    strength: float


def timesteps(steps: int) -> list[int]:
    """The trained steps of a run, from the noisiest on, evenly spaced from the end. Lin et al. 2024, table 2 ("trailing")."""
    return [round(TRAINED_STEPS - k * TRAINED_STEPS / steps) - 1 for k in range(steps)]


def denoise(
    infer: Infer, shapes: Shapes, branches: Sequence[Branch], *, seed: int, steps: int, pose: Pose | None = None, on_step: OnStep | None = None
) -> Floats:
    """Clean latents [1, C, h, w] from the noise of a seed; every branch is a row of the same batch."""
    rows = len(branches)
    nobody = np.zeros((1, shapes.face_tokens, branches[0].text_kv.shape[2]), np.float32)
    fixed = {
        "text_kv": np.concatenate([branch.text_kv for branch in branches]),
        "id_kv": np.concatenate([nobody if branch.id_kv is None else branch.id_kv for branch in branches]),
        "weight": np.array([branch.weight for branch in branches], np.float32),
    }
    if pose is not None:
        fixed |= _posed(branches, shapes, pose)
    latent = noise.normal(seed, (1, *shapes.latent))
    plan = [*timesteps(steps), -1]
    for number, (here, after) in enumerate(pairwise(plan), start=1):
        given = fixed | {
            "sample": np.repeat(latent, rows, 0),
            "timestep": np.full(rows, here, np.int64),
            "next_timestep": np.full(rows, after, np.int64),
        }
        made = infer("denoise_step" if pose is None else "denoise_step_pose", given)
        latent = made["next_sample"][:1]
        if on_step is not None:
            on_step(number, steps, made["clean"][:1])
    return latent


def _posed(branches: Sequence[Branch], shapes: Shapes, pose: Pose) -> dict[str, Floats]:
    """What the ControlNet wants: the pose for every row, the face's keys and values for those that have one, nobody's for the others."""
    nobody = np.zeros((1, shapes.face_tokens, shapes.pose_width), np.float32)
    return {
        "condition": np.repeat(pose.condition, len(branches), 0),
        "pose_kv": np.concatenate([nobody if branch.pose_kv is None else branch.pose_kv for branch in branches]),
        "strength": np.repeat(scalar(pose.strength), len(branches)),
    }

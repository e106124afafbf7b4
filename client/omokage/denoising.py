"""From branches to latents: the loop over the steps, whoever runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omokage import noise
from omokage.samplers import SAMPLERS, Schedule, Table, advance, begin
from omokage.systems.base import Arrays, Branch, Floats, Infer, scalar

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


@dataclass(frozen=True)
class Task:
    """What is to be denoised: the branches of one picture, by a sampler's steps from the noise of a seed, in a pose or in none."""

    shapes: Shapes
    branches: Sequence[Branch]
    schedule: Schedule
    sampler: str
    steps: int
    seed: int
    pose: Pose | None = None

    @property
    def table(self) -> Table:
        return SAMPLERS[self.sampler](self.schedule, self.steps)


Denoise = Callable[[Task, OnStep | None], Floats]
"""From a task to clean latents [1, C, h, w]: step by step, or by the server's denoiser; the bytes are the same."""


def by_steps(infer: Infer) -> Denoise:
    """Over the ensembles of one step each."""

    def steps(task: Task, on_step: OnStep | None) -> Floats:
        return denoise(infer, task.shapes, task.branches, task.table, seed=task.seed, pose=task.pose, on_step=on_step)

    return steps


def rows(branches: Sequence[Branch], shapes: Shapes, pose: Pose | None) -> Arrays:
    """What stays over the steps: `weight` [R], `text_kv` and `id_kv` [R, tokens, S] of all branches; with a pose `pose_kv` [R, tokens, W], and one
    for all rows: `condition` [1, 3, H, W] and `strength` [1]."""
    nobody = np.zeros((1, shapes.face_tokens, branches[0].text_kv.shape[2]), np.float32)
    found: Arrays = {
        "text_kv": np.concatenate([branch.text_kv for branch in branches]),
        "id_kv": np.concatenate([nobody if branch.id_kv is None else branch.id_kv for branch in branches]),
        "weight": np.array([branch.weight for branch in branches], np.float32),
    }
    if pose is None:
        return found
    unseen = np.zeros((1, shapes.face_tokens, shapes.pose_width), np.float32)
    posed = np.concatenate([unseen if branch.pose_kv is None else branch.pose_kv for branch in branches])
    return found | {"condition": pose.condition, "pose_kv": posed, "strength": scalar(pose.strength)}


def asked(task: Task) -> Arrays:
    """A task as the server's `denoiser` takes it."""
    numbers = {"steps": np.array([[task.steps]], np.int64), "seed": np.array([[task.seed]], np.int64)}
    return rows(task.branches, task.shapes, task.pose) | numbers | {"sampler": np.array([[task.sampler.encode()]], object)}


def denoise(
    infer: Infer, shapes: Shapes, branches: Sequence[Branch], table: Table, *, seed: int, pose: Pose | None = None, on_step: OnStep | None = None
) -> Floats:
    """Clean latents [1, C, h, w] from the noise of a seed by a sampler's table; every branch is a row of the same batch.

    Stream 0 of the seed is the first sample, stream n the new noise of step n.
    """
    count, shape = len(branches), (1, *shapes.latent)
    fixed = {name: value if len(value) == count else np.repeat(value, count, 0) for name, value in rows(branches, shapes, pose).items()}
    state = begin(table, noise.normal(seed, shape))
    following = [step.timestep for step in table.steps[1:]] + [-1]
    for number, (step, after) in enumerate(zip(table.steps, following, strict=True), start=1):
        given = fixed | {
            "sample": np.repeat(state[0], count, 0),
            "timestep": np.full(count, step.timestep, np.int64),
            "next_timestep": np.full(count, after, np.int64),
        }
        made = infer("denoise_step" if pose is None else "denoise_step_pose", given)
        state, clean = advance(step, state, made["guided"][:1], noise.normal(seed, shape, number) if step.needs_noise else None)
        if on_step is not None:
            on_step(number, len(table.steps), clean)
    return np.ascontiguousarray(state[0])

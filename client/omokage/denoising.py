"""From branches to latents: the loop over the steps, whoever runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omokage import noise
from omokage.samplers import SAMPLERS, TRAINED_STEPS, Schedule, Table, advance, begin
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
    """A condition picture [1, 3, H, W] in 0..1, latents [1, C, h, w] of the face's texture laid onto it, and how strongly both are followed."""

    condition: Floats
    reference: Floats
    strength: float


@dataclass(frozen=True)
class Known:
    """A part of the picture that is known beforehand, and held there while the rest is mostly noise (Lugmayr et al. 2022, eq. 8).

    `latent` [1, C, h, w], `cover` [1, 1, h, w] in 0..1; `hold`: over which share of the schedule.
    """

    latent: Floats
    cover: Floats
    hold: float
    schedule: Schedule

    def over(self, sample: Floats, first: Floats, timestep: int) -> Floats:
        """The sample [1, C, h, w] at a timestep, with what is known in it under the noise [1, C, h, w] of the first sample, or as it was."""
        if timestep < round((1 - self.hold) * TRAINED_STEPS):
            return sample
        part = np.float32(self.schedule.signal(timestep)) * self.latent + np.float32(self.schedule.noise(timestep)) * first
        return np.asarray(sample + self.cover * (part - sample), np.float32)


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
    head: Known | None = None

    @property
    def table(self) -> Table:
        return SAMPLERS[self.sampler](self.schedule, self.steps)


Denoise = Callable[[Task, OnStep | None], Floats]
"""From a task to clean latents [1, C, h, w]: step by step, or by the server's denoiser; the bytes are the same."""


def by_steps(infer: Infer) -> Denoise:
    """Over the ensembles of one step each."""

    def steps(task: Task, on_step: OnStep | None) -> Floats:
        return denoise(infer, task.shapes, task.branches, task.table, seed=task.seed, pose=task.pose, head=task.head, on_step=on_step)

    return steps


def rows(branches: Sequence[Branch], shapes: Shapes, pose: Pose | None) -> Arrays:
    """What stays over the steps: `weight` [R], `text_kv` and `id_kv` [R, tokens, S] of all branches; with a pose `pose_kv` [R, tokens, W], and one
    for all rows: `condition` [1, 3, H, W], `reference` [1, C, h, w] and `strength` [1]."""
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
    return found | {"condition": pose.condition, "reference": pose.reference, "pose_kv": posed, "strength": scalar(pose.strength)}


def asked(task: Task) -> Arrays:
    """A task as the server's `denoiser` takes it."""
    numbers = {"steps": np.array([[task.steps]], np.int64), "seed": np.array([[task.seed]], np.int64)}
    inputs = rows(task.branches, task.shapes, task.pose) | numbers | {"sampler": np.array([[task.sampler.encode()]], object)}
    if task.head is None:
        return inputs
    return inputs | {"head": task.head.latent, "cover": task.head.cover, "hold": scalar(task.head.hold)}


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
    count, shape = len(branches), (1, *shapes.latent)
    fixed = {name: value if len(value) == count else np.repeat(value, count, 0) for name, value in rows(branches, shapes, pose).items()}
    first = noise.normal(seed, shape)
    state = begin(table, first)
    following = [step.timestep for step in table.steps[1:]] + [-1]
    for number, (step, after) in enumerate(zip(table.steps, following, strict=True), start=1):
        given = fixed | {
            "sample": np.repeat(state[0], count, 0),
            "timestep": np.full(count, step.timestep, np.int64),
            "next_timestep": np.full(count, after, np.int64),
        }
        made = infer("denoise_step" if pose is None else "denoise_step_pose", given)
        state, clean = advance(step, state, made["guided"][:1], noise.normal(seed, shape, number) if step.needs_noise else None)
        if head is not None:
            state[0] = head.over(state[0], first, after)
        if on_step is not None:
            on_step(number, len(table.steps), clean)
    return np.ascontiguousarray(state[0])

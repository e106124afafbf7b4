"""From branches to latents: the loop over the steps, whoever runs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from omokage import noise
from omokage.samplers import TABLES, TRAINED_STEPS, Schedule, Table, advance, begin, guided
from omokage.system import Arrays, Branch, Floats, Infer, scalar

CONTROLNET_TAKES = ("sample", "timestep", "condition", "reference", "pose_kv", "strength")
UNET_TAKES = ("sample", "timestep", "text_kv", "id_kv")
GRADIENT_TAKES = (*UNET_TAKES, "target", "importance")
SEEN_ABOVE = 500
"""The step above which the ControlNet of poses sees a head's texture: it is so in its graph (`export/controlnet.py`)."""
KEYS_AND_VALUES = ("text_kv", "id_kv")
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
    """Parts of the picture that are known beforehand, and held there under as much noise as the rest has (Lugmayr et al. 2022, eq. 8).

    `latent` [1, C, h, w], `cover` [1, 1, h, w] in 0..1; `hold` [1, 1, h, w]: over which share of the schedule each cell is held, 1: to the end.
    """

    latent: Floats
    cover: Floats
    hold: Floats
    schedule: Schedule

    def share(self, timestep: int) -> Floats:
        """[1, 1, h, w]: how much of each cell is held at a timestep, -1 for the end."""
        until = np.where(self.hold < 1, np.round((1 - self.hold.astype(np.float64)) * TRAINED_STEPS), -1)
        return np.where(timestep >= until, self.cover, np.float32(0))

    def lets_go(self, before: int, after: int) -> bool:
        """Whether anything is held at a timestep that is not held at a later one any more."""
        return bool((self.share(after) < self.share(before)).any())

    def over(self, sample: Floats, first: Floats, timestep: int) -> Floats:
        """The sample [1, C, h, w] at a timestep, with what is known in it under the noise [1, C, h, w] of the first sample, or as it was."""
        share = self.share(timestep)
        if not share.any():
            return sample
        part = np.float32(self.schedule.signal(timestep)) * self.latent + np.float32(self.schedule.noise(timestep)) * first
        return np.asarray(sample + share * (part - sample), np.float32)


@dataclass(frozen=True)
class Task:
    """What is to be denoised: the branches of one picture, by a sampler's steps from the noise of a seed, in a pose or in none.

    `guided_steps`: how many, the first ones, have all branches, None: all steps; those that go on after them are the first. `pose_every`: see
    `looked`. `start` [1, C, h, w]: what the sampler begins with, None: the noise of the seed.
    """

    shapes: Shapes
    branches: Sequence[Branch]
    schedule: Schedule
    sampler: str
    steps: int
    seed: int
    pose: Pose | None = None
    head: Known | None = None
    guided_steps: int | None = None
    pose_every: int = 1
    start: Floats | None = None

    @property
    def table(self) -> Table:
        return TABLES[self.sampler](self.schedule, self.steps)


Denoise = Callable[[Task, OnStep | None], Floats]
"""From a task to clean latents [1, C, h, w]: step by step, or by the server's denoiser; the bytes are the same."""


def by_steps(infer: Infer) -> Denoise:
    """Over the ensembles of one step each."""

    def steps(task: Task, on_step: OnStep | None) -> Floats:
        return denoise(
            infer,
            task.shapes,
            task.branches,
            task.table,
            seed=task.seed,
            pose=task.pose,
            head=task.head,
            guided_steps=task.guided_steps,
            pose_every=task.pose_every,
            start=task.start,
            on_step=on_step,
        )

    return steps


def looked(table: Table, every: int, head: Known | None) -> list[bool]:
    """In which steps the ControlNet looks at the pose: in every so manieth, in the first in which it does not see the texture any more, and wherever
    a part of the head is let go, since all changes there; in the others what it added last is added again. Features change little from step to step
    (Ma et al. 2024)."""
    steps = [step.timestep for step in table.steps]

    def changes(before: int, after: int) -> bool:
        return before > SEEN_ABOVE >= after or (head is not None and head.lets_go(before, after))

    return [number % every == 0 or changes(*steps[number - 1 : number + 1]) for number in range(len(steps))]


def slope(infer: Infer, given: Arrays) -> Arrays:
    """What `unet_gradient` says of rows under the ControlNet of poses; `given` has what both take, and may have more."""
    residuals = infer("controlnet_pose", {name: given[name] for name in CONTROLNET_TAKES})
    return infer("unet_gradient", {name: given[name] for name in GRADIENT_TAKES} | residuals)


def rows(branches: Sequence[Branch], shapes: Shapes, pose: Pose | None) -> Arrays:
    """What stays over the steps: `weight` and `alone` [R], `text_kv` and `id_kv` [R, tokens, S] of all branches; with a pose `pose_kv`
    [R, tokens, W], and one for all rows: `condition` [1, 3, H, W], `reference` [1, C, h, w] and `strength` [1]."""
    nobody = np.zeros((1, shapes.face_tokens, branches[0].text_kv.shape[2]), np.float32)
    found: Arrays = {
        "text_kv": np.concatenate([branch.text_kv for branch in branches]),
        "id_kv": np.concatenate([nobody if branch.id_kv is None else branch.id_kv for branch in branches]),
        "weight": np.array([branch.weight for branch in branches], np.float32),
        "alone": np.array([branch.weight if branch.alone is None else branch.alone for branch in branches], np.float32),
    }
    if pose is None:
        return found
    unseen = np.zeros((1, shapes.face_tokens, shapes.pose_width), np.float32)
    posed = np.concatenate([unseen if branch.pose_kv is None else branch.pose_kv for branch in branches])
    return found | {"condition": pose.condition, "reference": pose.reference, "pose_kv": posed, "strength": scalar(pose.strength)}


def later(branches: Sequence[Branch]) -> Arrays:
    """`text_kv` and `id_kv` [n, tokens, S] of the n branches that go on after the guided steps, where those are others then; else nothing."""
    pairs = [branch.alone_kv for branch in branches if branch.alone != 0 and branch.alone_kv is not None]
    return {name: np.concatenate(values) for name, values in zip(KEYS_AND_VALUES, zip(*pairs, strict=True), strict=False)}


def asked(task: Task) -> Arrays:
    """A task as the server's `denoiser` takes it."""
    guided_steps = task.steps if task.guided_steps is None else task.guided_steps
    wholes = {"steps": task.steps, "seed": task.seed, "guided_steps": guided_steps, "pose_every": task.pose_every}
    numbers = {name: np.array([[value]], np.int64) for name, value in wholes.items()}
    inputs = rows(task.branches, task.shapes, task.pose) | numbers | {"sampler": np.array([[task.sampler.encode()]], object)}
    inputs |= {f"alone_{name}": value for name, value in later(task.branches).items()}
    if task.start is not None:
        inputs["start"] = task.start
    return inputs if task.head is None else inputs | {"head": task.head.latent, "cover": task.head.cover, "hold": task.head.hold}


def denoise(
    infer: Infer,
    shapes: Shapes,
    branches: Sequence[Branch],
    table: Table,
    *,
    seed: int,
    pose: Pose | None = None,
    head: Known | None = None,
    guided_steps: int | None = None,
    pose_every: int = 1,
    start: Floats | None = None,
    on_step: OnStep | None = None,
) -> Floats:
    """Latents [1, C, h, w] from the noise of a seed, or from others, by a sampler's table; every branch is a row of the same batch.

    Stream 0 of the seed is the first sample, and the noise over what is held; stream n is the new noise of step n.
    """
    count, shape = len(branches), (1, *shapes.latent)
    fixed = {name: value if len(value) == count else np.repeat(value, count, 0) for name, value in rows(branches, shapes, pose).items()}
    first = noise.normal(seed, shape) if start is None else start
    state = begin(table, first)
    following = [step.timestep for step in table.steps[1:]] + [-1]
    predicted = _predictor(infer, looked(table, pose_every, head) if pose is not None and pose_every > 1 else None)
    for number, (step, after) in enumerate(zip(table.steps, following, strict=True), start=1):
        if guided_steps is not None and number == guided_steps + 1:
            fixed = _unguided(fixed, later(branches))
        given = fixed | {
            "sample": np.repeat(state[0], len(fixed["weight"]), 0),
            "timestep": np.full(len(fixed["weight"]), step.timestep, np.int64),
            "next_timestep": np.full(len(fixed["weight"]), min(after, step.timestep - 1), np.int64),  # not used: the next sample is made here
        }
        del given["alone"]
        state, clean = advance(step, state, predicted(number, given), noise.normal(seed, shape, number) if step.needs_noise else None)
        if head is not None:
            state[0] = head.over(state[0], first, after)
        if on_step is not None:
            on_step(number, len(table.steps), clean)
    return np.ascontiguousarray(state[0])


def _unguided(fixed: Arrays, others: Arrays) -> Arrays:
    """The rows that are left after the guided steps, with their weights there, and their other keys and values, if there are any."""
    kept = fixed["alone"] != 0
    return {name: value[kept] for name, value in fixed.items()} | {"weight": fixed["alone"][kept]} | others


def _predictor(infer: Infer, steps: Sequence[bool] | None) -> Callable[[int, Arrays], Floats]:
    """(number of the step from 1, what a step is given) to the branches' predictions as one [1, C, h, w]; `steps`: in which the ControlNet looks
    at the pose, None: in all or there is none."""
    kept: Arrays = {}

    def predicted(number: int, given: Arrays) -> Floats:
        if steps is None:
            return np.asarray(infer("denoise_step_pose" if "condition" in given else "denoise_step", given)["guided"][:1])
        if steps[number - 1]:
            kept.update(infer("controlnet_pose", {name: given[name] for name in CONTROLNET_TAKES}))
        residuals = {name: value[: len(given["sample"])] for name, value in kept.items()}
        made = infer("unet", {name: given[name] for name in UNET_TAKES} | residuals)["prediction"]
        return guided(made, given["weight"])[None]

    return predicted

"""Networks whose rows depend on themselves alone, a clock that is told the time, and people who ask."""

from dataclasses import replace
from typing import Any

import numpy as np
from given import job_of
from jobs import Job
from loop import Denoiser
from omokage.denoising import Known, Pose, Shapes, Task, asked
from omokage.errors import OmokageError
from omokage.samplers import SCHEDULES, Schedule, guided
from omokage.system import Arrays, Branch, Floats
from omokage.transport.wire import laid_out
from pace import Limits

SHAPES = Shapes((2, 4, 4), 3, 5)
TOKENS, WIDTH, SIDE = 4, 6, 8
SCHEDULE = Schedule(SCHEDULES["cosine"](), "v")
SIDES = {"text_kv": (TOKENS, WIDTH), "id_kv": (3, WIDTH)}
POSED_SIDES: dict[str, tuple[int, ...]] = {
    "condition": (3, SIDE, SIDE),
    "reference": SHAPES.latent,
    "pose_kv": (3, 5),
    "strength": (),
}
STEP_SECONDS = 0.01


def unet(arrays: Arrays) -> Arrays:
    """Of every row: something that all of its inputs have a part in."""
    found = []
    for row in range(len(arrays["sample"])):
        given = {name: value[row] for name, value in arrays.items()}
        kept = given["text_kv"].mean() + 2 * given["id_kv"].mean() + np.float32(given["timestep"] / 1000)
        found.append(np.tanh(given["sample"] * 0.7 + kept + given["control_0"]))
    return {"prediction": np.stack(found).astype(np.float32)}


def controlnet(arrays: Arrays) -> Arrays:
    found = []
    for row in range(len(arrays["sample"])):
        given = {name: value[row] for name, value in arrays.items()}
        found.append(np.sin(given["sample"] + given["condition"].mean() + given["reference"] + given["pose_kv"].mean()) * given["strength"])
    return {"control_0": np.stack(found).astype(np.float32)}


def infer(model: str, inputs: Arrays) -> Arrays:
    """The ensembles of one step, of the same networks, and the networks by themselves."""
    if model in ("unet", "controlnet_pose"):
        return (unet if model == "unet" else controlnet)(inputs)
    control = controlnet(inputs) if model == "denoise_step_pose" else {"control_0": np.zeros_like(inputs["sample"])}
    return {"guided": guided(unet(inputs | control)["prediction"], inputs["weight"])[None]}


class Clock:
    """Every call of it takes nothing; networks take their time by `pass_`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Asker:
    """Notes what it is told; `leaves_after`: how many steps it waits for."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.steps: list[int] = []
        self.latents: list[Floats] = []
        self.errors: list[OmokageError] = []
        self.leaves_after = leaves_after

    def stepped(self, number: int, steps: int, clean: Floats) -> None:
        assert not self.latents
        assert not self.errors
        self.steps.append(number)

    def done(self, latent: Floats) -> None:
        self.latents.append(latent)

    def failed(self, error: OmokageError) -> None:
        self.errors.append(error)

    def cancelled(self) -> bool:
        return self.leaves_after is not None and len(self.steps) >= self.leaves_after

    @property
    def answers(self) -> int:
        return len(self.latents) + len(self.errors)


class Counts:
    """Meters that only count."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []
        self.waits: list[float] = []
        self.told: list[str] = []
        self.load = (0, 0)

    def stepped(self, rows: int, posed: int, seconds: float) -> None:
        self.batches.append((rows, posed))

    def joined(self, waited: float) -> None:
        self.waits.append(waited)

    def refused(self, reason: str) -> None:
        self.told.append(reason)

    def cancelled(self) -> None:
        self.told.append("cancelled")

    def missed(self) -> None:
        self.told.append("missed")

    def busy(self, rows: int, waiting: int) -> None:
        self.load = (rows, waiting)


def denoiser(clock: Clock | None = None, rows: int = 8, waiting: int = 10, **networks: Any) -> tuple[Denoiser, Counts, Clock]:
    """One whose step takes STEP_SECONDS a row."""
    clock, counts = clock or Clock(), Counts()

    def timed(arrays: Arrays) -> Arrays:
        clock.now += STEP_SECONDS * len(arrays["sample"])
        return unet(arrays)

    made = Denoiser(
        networks.get("unet", timed),
        networks.get("controlnet", controlnet),
        latent=SHAPES.latent,
        sides=SIDES,
        posed_sides=POSED_SIDES,
        meters=counts,
        limits=Limits(rows=rows, waiting=waiting),
        where=networks.get("where", np),
        clock=clock,
    )
    made.warm_up()
    return made, counts, clock


def task(
    seed: int, *, branches: int = 2, steps: int = 4, sampler: str = "ddim", pose: bool = False, guided_steps: int | None = None, pose_every: int = 1
) -> Task:
    """Contexts drawn from the seed; the later half of the branches is not computed after the guided steps. Of two seeds in three the first half has
    other keys and values then.
    """
    random = np.random.default_rng(seed)

    def floats(*shape: int) -> Any:
        return random.normal(size=shape).astype(np.float32)

    weights = random.dirichlet(np.ones(branches)) * 2
    rows = [
        Branch(
            float(weight),
            floats(1, TOKENS, WIDTH),
            floats(1, 3, WIDTH) if place % 2 == 0 else None,
            floats(1, 3, 5) if place % 2 == 0 else None,
            0.7 if place < (branches + 1) // 2 else 0.0,
            (floats(1, TOKENS, WIDTH), floats(1, 3, WIDTH)) if seed % 3 else None,
        )
        for place, weight in enumerate(weights)
    ]
    made = Task(SHAPES, rows, SCHEDULE, sampler, steps, seed, guided_steps=guided_steps, pose_every=pose_every)
    if not pose:
        return made
    cover = random.uniform(0, 1, (1, 1, *SHAPES.latent[1:])).astype(np.float32)
    head = Known(floats(1, *SHAPES.latent), cover, np.full_like(cover, random.uniform(0, 0.8)), SCHEDULE)
    return replace(made, pose=Pose(floats(1, 3, SIDE, SIDE), head.latent, float(random.uniform(0.2, 1))), head=head)


def job(task: Task, asker: Asker, **given: Any) -> Job:
    """As it comes over the wire, without one; `given`: of the job itself."""
    sides = {name: (-1 if name == "pose_kv" else 1, *side) for name, side in POSED_SIDES.items()}
    made = job_of(laid_out(asked(task)).get, SCHEDULE, SHAPES.latent, sides, asker)
    for name, value in given.items():
        setattr(made, name, value)
    return made

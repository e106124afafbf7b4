"""A request to the denoiser as a job; every input is looked at. Needs no Triton: inputs are asked for by name, None where they were left out."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from jobs import Job, Told
from omokage.denoising import KEYS_AND_VALUES, Known, looked
from omokage.errors import InvalidRequest
from omokage.portrait import MOST_SEED
from omokage.samplers import MOST_STEPS, TABLES, Schedule
from omokage.system import STEPS
from omokage.turn import Turn

Array = npt.NDArray[Any]
Given = Callable[[str], Array | None]
Sides = Mapping[str, tuple[int, ...]]
"""Of arrays of floats, by name; the first is 1 where one row is for all of a picture, else -1."""
NEEDED = ("weight", "text_kv", "id_kv", "sampler", "steps", "seed")
HEAD = ("head", "cover", "hold")
LATER = tuple(f"alone_{name}" for name in KEYS_AND_VALUES)


def job_of(
    given: Given, schedule: Schedule, shape: tuple[int, ...], posed_sides: Sides, told: Told, clock: Callable[[], float] = time.monotonic
) -> Job:
    """`shape`: of latents; `posed_sides`: of what a pose is. Raises InvalidRequest."""
    # copied, for what Triton holds of a request is not to be touched once that is answered
    found = {name: np.array(value) for name in (*NEEDED, "alone", "start", *LATER, *posed_sides, *HEAD) if (value := given(name)) is not None}
    for name in NEEDED:
        if name not in found:
            raise InvalidRequest(f"{name} is missing; a job needs {', '.join(NEEDED)}")
    posed, head, others = (_all_or_none(found, names) for names in (tuple(posed_sides), HEAD, LATER))
    later = {name.removeprefix("alone_"): found.pop(name) for name in others}
    _check_rows(found, ["start", *HEAD, *(name for name, sides in posed_sides.items() if sides[0] == 1)])
    sampler, steps, seed = _text(found["sampler"], "sampler"), int(found["steps"].flat[0]), int(found["seed"].flat[0])
    if sampler not in TABLES:
        raise InvalidRequest(f"sampler is {sampler!r}; it must be one of: {', '.join(TABLES)}")
    most = min(int(STEPS.high), MOST_STEPS.get(sampler, int(STEPS.high)))
    if not 1 <= steps <= most:
        raise InvalidRequest(f"steps is {steps}; the sampler {sampler} takes 1 to {most}")
    if not 0 <= seed <= MOST_SEED:
        raise InvalidRequest(f"seed is {seed}; it must be a whole number from 0 to {MOST_SEED}")
    turn, table = _turn(given), TABLES[sampler](schedule, steps)
    known = Known(found["head"], found["cover"], found["hold"], schedule) if head else None
    every, guided_steps = _whole(given, "pose_every", 1, 1), _whole(given, "guided_steps", steps, 0)
    weights, alone = found["weight"].reshape(-1), _alone(found, guided_steps < steps)
    later = _later(later, alone)
    if alone is not None and guided_steps == 0:
        weights, alone = alone, None
        found, later = {name: value[: len(weights)] for name, value in found.items()} | later, {}
    return Job(
        weights=weights,
        alone=alone,
        later=later,
        guided_steps=guided_steps,
        looks=looked(table, every, known),
        rows={name: found[name] for name in ("text_kv", "id_kv")},
        posed={name: found[name].reshape(-1, *posed_sides[name][1:]) for name in posed} if posed else None,
        table=table,
        seed=seed,
        shape=shape,
        told=told,
        head=known,
        start=found.get("start"),
        name=_optional_text(given, "job"),
        client=turn.client,
        priority=turn.priority,
        deadline=None if turn.deadline is None else clock() + turn.deadline,
    )


def _whole(given: Given, name: str, default: int, least: int) -> int:
    """Raises InvalidRequest for one below its least."""
    value = given(name)
    number = default if value is None else int(value.flat[0])
    if number < least:
        raise InvalidRequest(f"{name} is {number}; it must be {least} or more")
    return number


def _alone(found: Mapping[str, Array], asked: bool) -> Array | None:
    """Weights [n] of the first rows, which alone go on after the guided steps. Raises InvalidRequest."""
    if not asked:
        return None
    if "alone" not in found:
        raise InvalidRequest("guided_steps are fewer than the steps and alone is missing; send the weight of each branch after them")
    alone = found["alone"].reshape(-1)
    kept = int((alone != 0).sum())
    if not kept or not alone[:kept].all():
        raise InvalidRequest(f"alone is {alone.tolist()}; the branches that weigh something must be there, and be the first")
    return alone[:kept]


def _later(found: dict[str, Array], alone: Array | None) -> dict[str, Array]:
    """Keys and values of the branches that go on after the guided steps. Raises InvalidRequest."""
    if alone is None:
        return {}
    for name, value in found.items():
        if len(value) != len(alone) or not np.isfinite(value).all():
            raise InvalidRequest(
                f"alone_{name} has {len(value)} rows; wanted are {len(alone)}, as many as weigh something in alone, of finite numbers"
            )
    return found


def _all_or_none(found: Mapping[str, Array], names: Sequence[str]) -> list[str]:
    """Those that came. Raises InvalidRequest where some did and some did not."""
    came = [name for name in names if name in found]
    if came and len(came) < len(names):
        raise InvalidRequest(f"of {', '.join(names)} only {', '.join(came)} came; send all of them or none")
    return came


def _check_rows(found: Mapping[str, Array], one_for_all: Sequence[str]) -> None:
    """As many rows in all arrays of rows, and numbers in all."""
    rows = len(found["weight"])
    for name, value in found.items():
        if value.dtype != np.float32:
            continue
        wanted = 1 if name in one_for_all else rows
        if len(value) != wanted or not rows:
            raise InvalidRequest(f"{name} has {len(value)} rows, wanted {max(wanted, 1)}: one a branch, and weight has {rows}")
        if not np.isfinite(value).all():
            raise InvalidRequest(f"{name} has numbers that are not finite; send finite ones")


def _turn(given: Given) -> Turn:
    deadline, priority = given("deadline"), given("priority")
    return Turn(
        deadline=None if deadline is None else int(deadline.flat[0]) / 1000,
        priority=0 if priority is None else int(priority.flat[0]),
        client=_optional_text(given, "client"),
    )


def _optional_text(given: Given, name: str) -> str:
    value = given(name)
    return "" if value is None else _text(value, name)


def _text(value: Array, name: str) -> str:
    try:
        return bytes(value.flat[0]).decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} is not UTF-8 text; send UTF-8") from None

"""Which pictures belong together: plain shots, one thing changed at a time, relit or restyled pairs, broken borders.

A group is a list of frames; a frame says which person in which shot, and what is done to the picture afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from training.people import expressions, lights, wardrobe
from training.people.backgrounds import PAINTERS
from training.people.errors import InvalidRequest
from training.people.person import Person, person
from training.people.shot import Shot, change, shot

After = Literal["", "sketch", "painting", "sepia", "paste"]
STYLES: tuple[After, ...] = ("sketch", "painting", "sepia")
YAWS = (-40.0, -20.0, 0.0, 20.0, 40.0)  # degrees


@dataclass(frozen=True)
class Frame:
    """One picture of a group: `role` says what it is in the group, `after` what is done to it when it is drawn."""

    person: Person
    shot: Shot
    role: str
    after: After = ""
    donor: Shot | None = None  # for `paste`: the shot of the same person that the face comes from


@dataclass(frozen=True)
class Kind:
    """How frames of one person are made: frames(person, shot seed) is one group."""

    frames: Callable[[Person, int], list[Frame]]
    says: str
    lossless: bool = True  # PNG; plain shots are WebP, which loads twice as fast


def _shots(who: Person, seed: int) -> list[Frame]:
    return [Frame(who, shot(who, seed), "shot")]


def _same_shot(who: Person, seed: int) -> list[Frame]:
    """The shot of seed's own model, worn by this person: the same for everybody of one sex."""
    model = person(0 if who.sex == person(0).sex else next(k for k in range(1, 100) if person(k).sex == who.sex))
    return [Frame(who, replace(shot(model, seed), makeup="none", earrings=""), "same shot")]


def _base(who: Person, seed: int) -> Shot:
    """A shot in which one change shows: little turned, evenly lit, eyes free."""
    plain = shot(who, seed)
    return change(plain, yaw=round(plain.yaw * 0.4, 3), gaze_yaw=0.0, gaze_pitch=0.0, body_yaw=0.0, hat="", glasses="", earrings="", pitch=0.0)


def _expression(who: Person, seed: int) -> list[Frame]:
    base = _base(who, seed)
    return [Frame(who, change(base, expression=name, strength=0.9), f"expression={name}") for name in expressions.EXPRESSIONS]


def _yaw(who: Person, seed: int) -> list[Frame]:
    return [Frame(who, change(_base(who, seed), yaw=yaw, gaze_yaw=float(np.clip(0, yaw - 28, yaw + 28))), f"yaw={yaw:g}") for yaw in YAWS]


def _light(who: Person, seed: int) -> list[Frame]:
    base = _base(who, seed)
    return [Frame(who, change(base, light=name), f"light={name}") for name in lights.LIGHTS]


def _background(who: Person, seed: int) -> list[Frame]:
    base = _base(who, seed)
    return [Frame(who, change(base, background=name), f"background={name}") for name in PAINTERS]


def _accessory(who: Person, seed: int) -> list[Frame]:
    base = _base(who, seed)
    frames = [Frame(who, base, "accessory=none")]
    frames += [Frame(who, change(base, glasses=name), f"accessory={name}") for name in ("glasses", "sunglasses")]
    frames += [Frame(who, change(base, hat=name), f"accessory={name}") for name in wardrobe.HATS]
    return [*frames, Frame(who, change(base, earrings="hoops"), "accessory=hoops")]


def _relight(who: Person, seed: int) -> list[Frame]:
    first = shot(who, seed)
    names = [name for name in lights.LIGHTS if name != first.light]
    other = names[int(np.random.default_rng([who.seed, seed, 6]).integers(len(names)))]
    return [Frame(who, first, "picture"), Frame(who, change(first, light=other, light_side=-first.light_side), "relit")]


def _restyle(who: Person, seed: int) -> list[Frame]:
    first = shot(who, seed)
    style = STYLES[int(np.random.default_rng([who.seed, seed, 7]).integers(len(STYLES)))]
    return [Frame(who, first, "picture"), Frame(who, first, f"restyled={style}", style)]


def _harmonize(who: Person, seed: int) -> list[Frame]:
    truth = shot(who, seed)
    draw = np.random.default_rng([who.seed, seed, 8])
    donor = change(
        truth,
        light=str(draw.choice(list(lights.LIGHTS))),
        yaw=float(np.clip(truth.yaw + draw.normal(0, 3), -45, 45)),
        light_gain=float(draw.uniform(0.8, 1.25)),
        tint_seed=truth.tint_seed + 1,
    )
    return [Frame(who, truth, "whole"), Frame(who, truth, "broken border", "paste", donor)]


KINDS: dict[str, Kind] = {
    "shots": Kind(_shots, "one picture a shot; all pictures of a person are pairs", lossless=False),
    "same-shot": Kind(_same_shot, "the same shot of every person"),
    "expression": Kind(_expression, "only the expression changes"),
    "yaw": Kind(_yaw, "only the head's yaw changes, the eyes stay on the camera"),
    "light": Kind(_light, "only the light changes"),
    "background": Kind(_background, "only the background changes"),
    "accessory": Kind(_accessory, "only what is worn on the head changes"),
    "relight": Kind(_relight, "a picture and the same in another light"),
    "restyle": Kind(_restyle, "a picture and the same drawn, painted or toned"),
    "harmonize": Kind(_harmonize, "a whole picture, and one with a face pasted in from another shot"),
}


def frames(kind: str, seed: int, shots: int) -> list[tuple[str, Frame]]:
    """All frames of a person as (group name, frame). Raises InvalidRequest for an unknown kind."""
    if kind not in KINDS:
        raise InvalidRequest(f"unknown kind {kind!r}; choose one of: {', '.join(KINDS)}")
    who = person(seed)
    made = []
    for number in range(shots):
        group = f"same-{number:04}" if kind == "same-shot" else f"{seed:07}-{number:04}"
        made += [(group, frame) for frame in KINDS[kind].frames(who, number)]
    return made

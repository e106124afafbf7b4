"""A shot: a seed under a person, and everything about one picture that is not the person."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from training.people import backgrounds, colours, expressions, lights, wardrobe
from training.people.errors import InvalidRequest
from training.people.person import Person, pick

YAW, PITCH, ROLL = 45.0, 25.0, 20.0  # degrees, either way
GAZE_YAW, GAZE_PITCH = 28.0, 16.0  # how far the eyes turn in the head
LOOKING_AT_CAMERA = 6.0  # degrees; a gaze within is said to meet the camera
RANGES: dict[str, tuple[float, float]] = {
    "yaw": (-YAW, YAW),
    "pitch": (-PITCH, PITCH),
    "roll": (-ROLL, ROLL),
    "strength": expressions.STRENGTH_RANGE,
    "field_of_view": (10, 40),
    "frame_height": (2.3, 4.2),
    "light_gain": (0.7, 1.4),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "expression": tuple(expressions.EXPRESSIONS),
    "light": tuple(lights.LIGHTS),
    "background": tuple(backgrounds.PAINTERS),
    "background_colour": backgrounds.COLOUR_NAMES,
    "outfit": tuple(wardrobe.OUTFITS),
    "outfit_colour": tuple(colours.CLOTH),
    "hat": ("", *wardrobe.HATS),
    "hat_colour": tuple(colours.CLOTH),
    "glasses": ("", "glasses", "sunglasses"),
    "earrings": ("", *wardrobe.EARRINGS),
    "makeup": tuple(wardrobe.MAKEUP),
}


@dataclass(frozen=True)
class Shot:
    """One picture's parameters. Angles in degrees, seen by the viewer: positive is right, up and clockwise."""

    seed: int
    expression: str
    strength: float
    yaw: float
    pitch: float
    roll: float
    gaze_yaw: float  # where the eyes look, seen from the camera; 0 into the camera
    gaze_pitch: float
    body_yaw: float
    body_pitch: float
    light: str
    light_side: int  # -1 left, 1 right
    light_gain: float
    background: str
    background_colour: str
    background_seed: int
    outfit: str
    outfit_colour: str
    glasses: str  # "", "glasses" or "sunglasses"
    hat: str
    hat_colour: str
    earrings: str
    makeup: str
    field_of_view: float  # degrees
    frame_height: float  # dm of the face's plane that the picture shows
    offset_x: float  # dm, the face's place in the frame
    offset_y: float
    tint_seed: int

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidRequest(f"{name} is {getattr(self, name)!r}; choose one of: {', '.join(repr(c) for c in choices)}")
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidRequest(f"{name} is {getattr(self, name)}, it must be from {low} to {high}")


def change(shot: Shot, **fields: object) -> Shot:
    """The same shot with some fields changed; raises InvalidRequest for a value outside its range, or an unknown field."""
    unknown = set(fields) - {field.name for field in dataclasses.fields(Shot)}
    if unknown:
        raise InvalidRequest(f"a shot has no {', '.join(sorted(unknown))}; its fields are: {', '.join(f.name for f in dataclasses.fields(Shot))}")
    return dataclasses.replace(shot, **fields)  # type: ignore[arg-type]


def _clipped(value: float, limit: float) -> float:
    return round(float(np.clip(value, -limit, limit)), 3)


def _gaze(draw: np.random.Generator, yaw: float, pitch: float) -> tuple[float, float]:
    """Into the camera three times of four, else aside; never further than the eyes turn in the head."""
    aside = draw.random() < 0.25
    to_yaw = draw.choice([-1, 1]) * draw.uniform(12, 26) + 0.5 * yaw if aside else draw.normal(0, 1.5)
    to_pitch = draw.normal(0, 6) if aside else draw.normal(0, 1.5)
    return (
        round(float(np.clip(to_yaw, yaw - GAZE_YAW, yaw + GAZE_YAW)), 3),
        round(float(np.clip(to_pitch, pitch - GAZE_PITCH, pitch + GAZE_PITCH)), 3),
    )


def _hat(draw: np.random.Generator, person: Person) -> str:
    return pick(draw, wardrobe.HAT_CHANCES[person.sex]) if draw.random() < 0.12 else ""


def shot(person: Person, seed: int) -> Shot:
    """The shot of a seed (0 or more) under a person; the same pair gives the same shot."""
    draw = np.random.default_rng([person.seed, seed, 2])
    yaw = _clipped(draw.normal(0, 17) if draw.random() < 0.8 else draw.uniform(-YAW, YAW), YAW)
    pitch, roll = _clipped(draw.normal(0, 7.5), PITCH), _clipped(draw.normal(0, 6.5), ROLL)
    gaze_yaw, gaze_pitch = _gaze(draw, yaw, pitch)
    woman = person.sex == "woman"
    glasses = "glasses" if draw.random() < person.glasses_chance else ("sunglasses" if draw.random() < 0.04 else "")
    return Shot(
        seed=seed,
        expression=pick(draw, expressions.CHANCES),
        strength=round(draw.uniform(0.6, 1.0), 3),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        gaze_yaw=gaze_yaw,
        gaze_pitch=gaze_pitch,
        body_yaw=round(float(np.clip(0.45 * yaw + draw.normal(0, 8), yaw - 40, yaw + 40)), 3),
        body_pitch=round(float(draw.normal(0, 2.5)), 3),
        light=str(draw.choice(list(lights.LIGHTS))),
        light_side=int(draw.choice([-1, 1])),
        light_gain=round(draw.uniform(0.88, 1.15), 3),
        background=str(draw.choice(list(backgrounds.PAINTERS))),
        background_colour=str(draw.choice(backgrounds.COLOUR_NAMES)),
        background_seed=int(draw.integers(1 << 30)),
        outfit=str(draw.choice(wardrobe.outfits(person.sex))),
        outfit_colour=str(draw.choice(list(colours.CLOTH))),
        glasses=glasses,
        hat=_hat(draw, person),
        hat_colour=str(draw.choice(list(colours.CLOTH))),
        earrings=str(draw.choice(list(wardrobe.EARRINGS))) if draw.random() < (0.35 if woman else 0.04) else "",
        makeup=pick(draw, {"none": 0.55, "lipstick": 0.22, "full": 0.23}) if woman else "none",
        field_of_view=round(draw.uniform(13, 26), 3),
        frame_height=round(draw.uniform(2.65, 3.35), 3),
        offset_x=round(float(np.clip(draw.normal(0, 0.08), -0.2, 0.2)), 3),
        offset_y=round(float(np.clip(draw.normal(0, 0.06), -0.15, 0.15)), 3),
        tint_seed=int(draw.integers(1 << 30)),
    )

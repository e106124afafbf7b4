"""Words for a photo, from what can be measured in it: where the head turns, what the face does, from which side the light comes.

Left and right are the viewer's. What cannot be measured is not said.
"""

import numpy as np

from omokage import expression_reader
from omokage.pose import in_space_of
from omokage.system import Floats

TURNED_FROM, FAR_FROM, RAISED_FROM, LEANT_FROM = 12.0, 28.0, 12.0, 8.0  # degrees from which the words say so
LIT_FROM = 0.12  # of the mean light of both halves of the face: by how much they differ where it comes from a side
PORTRAIT = "a portrait of a person"
SAID = {"smile": "smiling", "open mouth": "with an open mouth", "closed eyes": "with closed eyes", "raised brows": "with raised brows"}
MIDDLE = slice(48, 144)  # rows and columns of a texture [192, 192] where the face lies


def caption(shape: Floats, landmarks: Floats, texture: Floats) -> str:
    """`shape` [468, 3] from the front and `landmarks` [468, 2] of one face, its `texture` [3, 192, 192] in 0..1."""
    return ", ".join([PORTRAIT, *doing(shape), *turned(shape, landmarks), *lit(texture)])


def doing(shape: Floats) -> list[str]:
    """What the face does; nothing where it does nothing."""
    seen = expression_reader.features(shape.astype(np.float64))
    return [SAID[name] for name, known in expression_reader.learned().items() if expression_reader.shows(known, seen)]


def turned(shape: Floats, landmarks: Floats) -> list[str]:
    """Where the head looks."""
    yaw, pitch, roll = in_space_of(shape, landmarks)
    said = []
    if abs(yaw) >= TURNED_FROM:
        said.append(f"head turned {'far ' if abs(yaw) >= FAR_FROM else ''}to the {'right' if yaw > 0 else 'left'}")
    if abs(pitch) >= RAISED_FROM:
        said.append(f"head {'raised' if pitch > 0 else 'lowered'}")
    if abs(roll) >= LEANT_FROM:
        said.append(f"head tilted to the {'right' if roll > 0 else 'left'}")
    return said or ["facing the camera"]


def lit(texture: Floats) -> list[str]:
    """The side of the light, where one half of the face is clearly lighter."""
    light = texture[:, MIDDLE, MIDDLE].mean((0, 1))
    left, right = light[: len(light) // 2].mean(), light[len(light) // 2 :].mean()
    apart = float((right - left) / max(float(right + left) / 2, 1e-3))
    return [f"light from the {'right' if apart > 0 else 'left'}"] if abs(apart) >= LIT_FROM else []

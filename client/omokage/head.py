"""The head that a portrait begins with: the person's own, doing what the words say, where it is to lie."""

from typing import NamedTuple

import numpy as np

from omokage.denoising import Pose
from omokage.knobs import Values
from omokage.pose import fitted, framed, turned
from omokage.system import Face, Floats, Infer, System, Words, scalar
from omokage.texts import report_of, text


class Head(NamedTuple):
    """`pose`: what the ControlNet sees; `latent` [1, C, h, w] and `cover` [1, 1, h, w] in 0..1: what is held at first, and how much of each cell;
    `notes` on the picture of the pose."""

    pose: Pose
    latent: Floats
    cover: Floats
    notes: list[str]


def placed(infer: Infer, system: System, face: Face, words: Words, knobs: Values, picture: bytes | None) -> Head | None:
    """The head as it lies in a picture, or turned as the knobs say; None for poses of no strength. Raises whatever `infer` raises."""
    if knobs["pose_scale"] == 0:
        return None
    shape = expressive(infer, face.shape, words, knobs["expression_scale"])
    notes: list[str] = []
    if picture is None:
        landmarks = turned(shape[0], *system.turns(knobs))
    else:
        seen, notes = _seen(infer, picture)
        landmarks = fitted(shape[0], seen)
    drawn = infer("condition_pose", {"placed_landmarks": landmarks[None], "texture": face.texture})
    latent, textured = infer("vae_encoder", {"picture": drawn["laid"]})["latent"], np.float32(system.textured(knobs))
    return Head(Pose(drawn["condition"], latent * textured, float(knobs["pose_scale"])), latent, drawn["cover"] * textured, notes)


def expressive(infer: Infer, shape: Floats, words: Words, scale: float) -> Floats:
    """[1, 468, 3]: a face's shape of that size with the expression of the words, so much of it."""
    if scale == 0:
        return shape
    return infer("face_expression", {"shape": shape, "states": words.states, "mask": words.mask, "expression_scale": scalar(scale)})[
        "expressive_shape"
    ]


def _seen(infer: Infer, photo: bytes) -> tuple[Floats, list[str]]:
    """(landmarks [468, 2] of the largest face in 0..1 of a portrait, notes on the photo)."""
    found = infer("face_analysis", {"photo": text(photo)})
    report = report_of(found)
    return framed(found["landmarks"][0], found["box"][0], report["width"], report["height"]), [f"pose: {note}" for note in report["notes"]]

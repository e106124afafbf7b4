"""The head that a portrait begins with: the person's own, doing what the words say and in their light, where it is to lie."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from omokage.blur import blurred
from omokage.denoising import Pose
from omokage.knobs import Values
from omokage.plate import put_on
from omokage.pose import fitted, framed, turned
from omokage.system import Face, Floats, Infer, System, Words, scalar
from omokage.texts import report_of, text

BORDER = 0.7
"""At most this share of the schedule a head's outermost cells are held, so that it grows together with what is round it."""

WHOLLY = (0.8, 0.95)
"""A head that is held over less of the way than the first is another's in its detail, and wholly the photo's from the second on."""


class Head(NamedTuple):
    """`pose`: what the ControlNet sees; `latent` [1, C, h, w] and `cover` [1, 1, h, w] in 0..1: what is held, and how much of each cell; `inside`
    [1, 1, h, w]: which cells are none of its outermost; `picture` [1, 3, H, W] in -1..1 and `matte` [1, 1, H, W] in 0..1: the same as pixels;
    `own` 0..1: how far it is the person's alone; `notes` on the picture of the pose."""

    pose: Pose
    latent: Floats
    cover: Floats
    inside: npt.NDArray[np.bool_]
    picture: Floats
    matte: Floats
    own: float
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
    texture = overlaid(infer, lit(infer, face.texture, words, knobs["light_scale"]), words, knobs["overlay_scale"])
    return laid(infer, landmarks, texture, float(knobs["pose_scale"]), system.textured(knobs), notes)


def laid(infer: Infer, landmarks: Floats, texture: Floats, strength: float, textured: float = 1.0, notes: Sequence[str] = ()) -> Head:
    """A head's texture [1, 3, 192, 192] laid onto points [468, 2] in 0..1 of a portrait; `textured` 0..1: how much of it is seen; `strength`: of the
    pose. Raises whatever `infer` raises."""
    drawn = infer("condition_pose", {"placed_landmarks": landmarks[None], "texture": texture})
    latent, share = infer("vae_encoder", {"picture": drawn["laid"]})["latent"], np.float32(textured)
    cover, pose = drawn["cover"], Pose(drawn["condition"], latent * share, strength)
    return Head(pose, latent, cover * share, inside(cover), drawn["laid"], drawn["matte"], wholly(textured), list(notes))


def inside(cover: Floats) -> npt.NDArray[np.bool_]:
    """[1, 1, h, w]: which cells a head covers [1, 1, h, w] mostly, with all their neighbours. Beyond the picture's edge it goes on."""
    outside = (cover[0, 0] < 0.5).astype(np.float32)
    return np.asarray(blurred(outside, 1) < 1e-6)[None, None]


def wholly(share: float) -> float:
    """0..1: how far what is held, or wanted, for such a share counts as being so wholly."""
    none, all_ = WHOLLY
    return min(max((share - none) / (all_ - none), 0.0), 1.0)


def detailed(picture: Floats, head: Head, share: float) -> Floats:
    """[1, 3, H, W] in -1..1: a portrait [1, 3, H, W] with so much of the head's own pixels over it: latents lose what is finest in a face."""
    return np.asarray(picture + np.float32(share * head.own) * head.matte * (head.picture - picture), np.float32)


def composed(picture: Floats, head: Head, share: float) -> Floats:
    """[1, 3, H, W] in -1..1: the same over the portrait's clean plate, so that no fringe is left round the head."""
    if share * head.own == 0:
        return picture
    return np.asarray(picture + np.float32(share * head.own) * (put_on(picture, head.picture, head.matte) - picture), np.float32)


def hold_of(inside: npt.NDArray[np.bool_], hold: float) -> Floats:
    """[1, 1, h, w]: over which share of the schedule each cell of a head is held, if it is to be held so long."""
    return np.where(inside, hold, min(hold, BORDER)).astype(np.float32)


def expressive(infer: Infer, shape: Floats, words: Words, scale: float) -> Floats:
    """[1, 468, 3]: a face's shape of that size with the expression of the words, so much of it."""
    if scale == 0:
        return shape
    return infer("face_expression", {"shape": shape, "states": words.states, "mask": words.mask, "expression_scale": scalar(scale)})[
        "expressive_shape"
    ]


def overlaid(infer: Infer, texture: Floats, words: Words, scale: float) -> Floats:
    """[1, 3, 192, 192] in 0..1: a head's texture with what the words put over it, so much of it."""
    if scale == 0:
        return texture
    return infer("face_overlay", {"texture": texture, "states": words.states, "mask": words.mask, "overlay_scale": scalar(scale)})["overlaid_texture"]


def lit(infer: Infer, texture: Floats, words: Words, scale: float) -> Floats:
    """[1, 3, 192, 192] in 0..1: a head's texture in the light of the words, so much of it."""
    if scale == 0:
        return texture
    return infer("face_light", {"texture": texture, "states": words.states, "mask": words.mask, "light_scale": scalar(scale)})["lit_texture"]


def _seen(infer: Infer, photo: bytes) -> tuple[Floats, list[str]]:
    """(landmarks [468, 2] of the largest face in 0..1 of a portrait, notes on the photo)."""
    found = infer("face_analysis", {"photo": text(photo)})
    report = report_of(found)
    return framed(found["landmarks"][0], found["box"][0], report["width"], report["height"]), [f"pose: {note}" for note in report["notes"]]

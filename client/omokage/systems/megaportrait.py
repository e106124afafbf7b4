"""MegaPortrait (Yang et al. 2024): a person's head on the body of a reference picture, in its light, in three passes.

The abstract says no more than: Identity Net, Shading Net, Harmonization Net, and off-the-shelf ControlNets. How each works is our own design.
"""

from typing import Any

import numpy as np

from omokage.blur import blurred, softened
from omokage.body import without_head
from omokage.distance import away
from omokage.face_mask import EARS, below, hull
from omokage.frame import Pixels
from omokage.head import Head, expressive, laid, overlaid
from omokage.knobs import Knob
from omokage.parsing import ON_HEADS, Parsed, parsed
from omokage.passes import Painted
from omokage.pixels import pixels
from omokage.plate import Mask
from omokage.pose import fitted
from omokage.seen import floats, person_in, seen
from omokage.shading import light, relit, toned
from omokage.sitting import Sitting
from omokage.system import COMMON, IDENTITY_SCALE, PRIOR_SCALE, Floats, System
from omokage.systems.crossfaceid import branches

SHADING = Knob("shading", 1.0, 0.0, 1.0, "how much of the reference's light and colour the head takes on; 0: the Shading Net is left out")
HARMONIZE = Knob("harmonize", 1.0, 0.0, 1.0, "how far neck and head are made one; 0: the Harmonization Net is left out")
HARMONIZED = 16  # pixels of a portrait to both sides of the border that the harmonizer changes at most: docs/mini.md
OWN_NECK = (3.0, 12.0)  # pixels from the face, over which the person's neck goes over into the reference's
EVEN = 3.0  # how steep a head's outline is, once it is evened over 2 pixels: hair is torn at a mask's edge
SURELY = 4  # times: what changes by a quarter or more is taken wholly, less of the rest
ENOUGH = 200  # pixels of skin, from which on they tell of the light alone


def put_in(sitting: Sitting) -> Painted:
    """The reference picture with the person in it."""
    infer, knobs = sitting.infer, sitting.knobs
    picture = seen(infer, sitting.pictures["style"], sitting.size, "style")
    shape = expressive(infer, sitting.face.shape, sitting.wanted, knobs["expression_scale"])
    places = fitted(shape[0], picture.landmarks)
    face, matte = _identity(sitting, places)
    sitting.watch.done("identity")
    square = floats(picture.square)
    shows, theirs = parsed(infer, square), parsed(infer, floats(face))
    where, told = told_by(shows, theirs, hull(picture.landmarks, sitting.size) & hull(places, sitting.size))
    found = light(face, picture.square, where)
    face = relit(face, found, theirs.share("skin"), float(knobs["shading"]))
    sitting.watch.done("shading")
    body = without_head(square, shows, person_in(infer, picture.square), picture.landmarks)
    matte = on_a_body(matte, theirs, places)
    off = told * (float(knobs["shading"]) * found.taken_on - found.tone)
    under = toned(pixels(body.picture[0]), body.neck, float(knobs["harmonize"]) * off).astype(np.float32)
    join = np.where(below(places, EARS, sitting.size) > 0, np.maximum(theirs.share("skin") * (matte > 0), body.neck), np.float32(0))
    laid_over = np.rint(under + matte[..., None] * (face - under)).astype(np.uint8)
    whole, reach = _harmonized(sitting, laid_over, matte, join)
    sitting.watch.done("harmonization")
    changed = np.clip(SURELY * np.maximum.reduce([body.anew, matte, body.neck * (knobs["harmonize"] > 0), reach]), 0, 1)
    return Painted(pixels=picture.frame.back(picture.photo, whole, changed), notes=picture.notes)


def _identity(sitting: Sitting, places: Floats) -> tuple[Pixels, Floats]:
    """([size, size, 3]: a portrait of the person whose face lies at these places [468, 2] in 0..1, [size, size] in 0..1: where the head is)."""
    infer, knobs = sitting.infer, sitting.knobs
    head = laid(infer, places, overlaid(infer, sitting.face.texture, sitting.wanted, knobs["overlay_scale"]), float(knobs["pose_scale"]))

    def lay(portrait: Floats, head: Head, share: float) -> Floats:
        return np.asarray(portrait + np.float32(share * head.own) * (head.picture - portrait), np.float32)

    return sitting.decoded(sitting.denoised(sitting.branches(), head.pose, sitting.held(head)), head, lay), head.matte[0, 0]


def told_by(shows: Parsed, theirs: Parsed, faces: Mask) -> tuple[Floats, bool]:
    """([size, size] in 0..1: where both faces show skin, or, if that is little, where both are; whether skin tells)."""
    found = faces * shows.share("skin") * theirs.share("skin")
    told = bool((found > 0.5).sum() >= ENOUGH)
    return np.asarray(found if told else faces, np.float32), told


def on_a_body(matte: Floats, shows: Parsed, places: Floats) -> Floats:
    """[S, S] in 0..1: what of a head's matte [S, S] is laid over another's body: below the ears head and beard, little of the neck, no clothes."""
    size = len(matte)
    fades = np.clip((OWN_NECK[1] - away(hull(places, size))) / (OWN_NECK[1] - OWN_NECK[0]), 0, 1)
    kept = softened(np.minimum(shows.share(*ON_HEADS) + shows.share("skin") * fades, 1), 1)
    low = np.clip(below(places, EARS, size) / 6, 0, 1)
    even = np.clip((softened(matte, 2) - 0.5) * EVEN + 0.5, 0, 1)
    return np.asarray(even * (1 - low * (1 - kept)), np.float32)


def _harmonized(sitting: Sitting, picture: Pixels, matte: Floats, join: Floats) -> tuple[Pixels, Floats]:
    """(the square with head and neck made one where they are to join [size, size] in 0..1, [size, size] in 0..1: how much of it takes the reference's
    place), no farther than HARMONIZED pixels from the head's border."""
    hard, share = (matte > 0.5).astype(np.float32), float(sitting.knobs["harmonize"])
    if share == 0:
        return picture, np.zeros_like(hard)
    given: dict[str, Any] = {"picture": floats(picture), "mask": hard[None, None]}
    fused = sitting.infer("harmonizer", given)["fused"]
    near = blurred(join, 2)
    return pixels((given["picture"] + np.float32(share) * near * (fused - given["picture"]))[0]), near * np.clip(2 * blurred(hard, HARMONIZED), 0, 1)


MEGAPORTRAIT = System(
    "megaportrait",
    "the person's head in a reference picture, with its light, body and surroundings",
    (*COMMON, IDENTITY_SCALE, PRIOR_SCALE, SHADING, HARMONIZE),
    branches,
    pictures=("style",),
    needs=("style",),
    personal=True,
    passes=put_in,
)

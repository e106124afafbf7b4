"""MegaPortrait (Yang et al. 2024): a person's face in the light and with the body of a reference picture, in three passes.

The abstract says no more than: Identity Net, Shading Net, Harmonization Net, and off-the-shelf ControlNets. How each works is our own design.
"""

from typing import Any

import numpy as np

from omokage.blur import blurred
from omokage.face_mask import in_both
from omokage.frame import Pixels
from omokage.head import expressive, laid, lit, overlaid
from omokage.knobs import Knob
from omokage.passes import Painted
from omokage.pixels import pixels
from omokage.pose import fitted
from omokage.seen import floats, seen
from omokage.shading import shaded
from omokage.sitting import Sitting
from omokage.system import COMMON, IDENTITY_SCALE, PRIOR_SCALE, Floats, System
from omokage.systems.crossfaceid import branches

SHADING = Knob("shading", 1.0, 0.0, 1.0, "how much of the reference's light and colour the face takes on; 0: the Shading Net is left out")
HARMONIZE = Knob("harmonize", 1.0, 0.0, 1.0, "how much the border is made whole; 0: the Harmonization Net is left out")
HARMONIZED = 16  # pixels of a portrait to both sides of the border that the harmonizer changes at most: docs/mini.md
EVENED = 1.0  # how far a face goes from its photo's light to that of the words, or a usual one, before it takes on the reference's


def put_in(sitting: Sitting) -> Painted:
    """The reference picture with the person in it."""
    picture = seen(sitting.infer, sitting.pictures["style"], sitting.size, "style")
    shape = expressive(sitting.infer, sitting.face.shape, sitting.wanted, sitting.knobs["expression_scale"])
    places = fitted(shape[0], picture.landmarks)
    mask = in_both(picture.landmarks, places, sitting.size)
    face = _identity(sitting, places)
    sitting.watch.done("identity")
    face = shaded(face, picture.square, mask, float(sitting.knobs["shading"]))
    sitting.watch.done("shading")
    pasted = np.rint(picture.square + mask[..., None] * (face.astype(np.float32) - picture.square)).astype(np.uint8)
    whole, reach = _harmonized(sitting, pasted, mask)
    sitting.watch.done("harmonization")
    return Painted(pixels=picture.frame.back(picture.photo, whole, reach), notes=picture.notes)


def _identity(sitting: Sitting, places: Floats) -> Pixels:
    """[size, size, 3]: a portrait of the person whose face lies at these places [468, 2] in 0..1."""
    infer, knobs = sitting.infer, sitting.knobs
    evened = lit(infer, sitting.face.texture, sitting.wanted, EVENED)
    texture = overlaid(infer, evened, sitting.wanted, knobs["overlay_scale"])
    head = laid(infer, places, texture, float(knobs["pose_scale"]))
    return sitting.decoded(sitting.denoised(sitting.branches(), head.pose, sitting.held(head)), head)


def _harmonized(sitting: Sitting, pasted: Pixels, mask: Floats) -> tuple[Pixels, Floats]:
    """(the square, [size, size] in 0..1: how much of it takes the reference's place), no farther than HARMONIZED pixels."""
    hard, share = (mask > 0).astype(np.float32), float(sitting.knobs["harmonize"])
    if share == 0:
        return pasted, hard
    given: dict[str, Any] = {"picture": floats(pasted), "mask": hard[None, None]}
    fused = sitting.infer("harmonizer", given)["fused"]
    return pixels((given["picture"] + np.float32(share) * (fused - given["picture"]))[0]), np.clip(2 * blurred(hard, HARMONIZED), 0, 1)


MEGAPORTRAIT = System(
    "megaportrait",
    "the person's face in a reference picture, with its light, body and surroundings",
    (*COMMON, IDENTITY_SCALE, PRIOR_SCALE, SHADING, HARMONIZE),
    branches,
    pictures=("style",),
    needs=("style",),
    personal=True,
    passes=put_in,
)

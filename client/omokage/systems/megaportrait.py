"""MegaPortrait (Yang et al. 2024): a person's face in the light and with the body of a reference picture, in three passes.

The abstract says no more than: Identity Net, Shading Net, Harmonization Net, and off-the-shelf ControlNets. How each works is our own design.
"""

from typing import Any

import numpy as np

from omokage.frame import Pixels
from omokage.head import expressive, laid, lit, overlaid
from omokage.knobs import Knob
from omokage.passes import Painted
from omokage.pixels import pixels
from omokage.pose import fitted
from omokage.seen import Seen, floats, seen
from omokage.shading import relit
from omokage.sitting import Sitting
from omokage.system import COMMON, IDENTITY_SCALE, PRIOR_SCALE, Floats, System
from omokage.systems.crossfaceid import branches

SHADING = Knob("shading", 1.0, 0.0, 1.0, "how much of the reference's light and colour the face takes on; 0: the Shading Net is left out")
HARMONIZE = Knob("harmonize", 1.0, 0.0, 1.0, "how much the border is made whole; 0: the Harmonization Net is left out")
EVENED = 1.0  # how far a face goes from its photo's light to that of the words, or a usual one, before it takes on the reference's
HAIRLINE = (10, 338, 297, 332, 284, 251, 109, 67, 103, 54, 21)  # MediaPipe's points: the upper edge of the forehead, where hair begins
GROWN = 0.12  # how much larger than the face's points the part is that is pasted
"""The harmonizer changes 16 pixels of a portrait at most to both sides of the mask's border: docs/mini.md."""


def put_in(sitting: Sitting) -> Painted:
    """The reference picture with the person in it."""
    picture = seen(sitting.infer, sitting.pictures["style"], sitting.size, "style")
    mask = face_mask(picture.landmarks, sitting.size)
    face = _identity(sitting, picture)
    sitting.watch.done("identity")
    shaded = relit(face, picture.square, mask, float(sitting.knobs["shading"]))
    sitting.watch.done("shading")
    pasted = np.rint(picture.square + mask[..., None] * (shaded.astype(np.float32) - picture.square)).astype(np.uint8)
    whole, reach = _harmonized(sitting, pasted, mask)
    sitting.watch.done("harmonization")
    return Painted(pixels=picture.frame.back(picture.photo, whole, reach), notes=picture.notes)


def _identity(sitting: Sitting, picture: Seen) -> Pixels:
    """[size, size, 3]: a portrait of the person whose face lies on the reference's."""
    infer, knobs = sitting.infer, sitting.knobs
    shape = expressive(infer, sitting.face.shape, sitting.wanted, knobs["expression_scale"])
    evened = lit(infer, sitting.face.texture, sitting.wanted, EVENED)
    texture = overlaid(infer, evened, sitting.wanted, knobs["overlay_scale"])
    head = laid(infer, fitted(shape[0], picture.landmarks), texture, float(knobs["pose_scale"]))
    return sitting.decoded(sitting.denoised(sitting.branches(), head.pose, sitting.held(head)), head)


def _harmonized(sitting: Sitting, pasted: Pixels, mask: Floats) -> tuple[Pixels, Floats]:
    """(the square, what of it may differ from the reference's)."""
    hard, share = (mask > 0).astype(np.float32), float(sitting.knobs["harmonize"])
    if share == 0:
        return pasted, hard
    given: dict[str, Any] = {"picture": floats(pasted), "mask": hard[None, None]}
    fused = sitting.infer("harmonizer", given)["fused"]
    return pixels((given["picture"] + np.float32(share) * (fused - given["picture"]))[0]), np.ones_like(mask)


def face_mask(landmarks: Floats, size: int) -> Floats:
    """[size, size] in 0..1: the hull of a face's points [468, 2] in 0..1, a little grown, its border soft by two pixels."""
    points = np.delete(landmarks.astype(np.float64), HAIRLINE, 0) * size
    points = points.mean(0) + (1 + GROWN) * (points - points.mean(0))
    hull = _hull(points)
    across, down = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    inside = np.full((size, size), np.inf)
    for one, other in zip(hull, np.roll(hull, -1, 0), strict=True):
        way = (other - one) / max(float(np.linalg.norm(other - one)), 1e-9)
        inside = np.minimum(inside, way[0] * (down - one[1]) - way[1] * (across - one[0]))
    return np.asarray(np.clip(inside / 2 + 0.5, 0, 1), np.float32)


def _hull(points: Any) -> Any:
    """[k, 2] corners of the convex hull, in order: Andrew 1979."""
    ordered = points[np.lexsort(points.T[::-1])]

    def half(row: Any) -> list[Any]:
        found: list[Any] = []
        for point in row:
            while len(found) > 1 and np.cross(found[-1] - found[-2], point - found[-2]) <= 0:
                found.pop()
            found.append(point)
        return found

    return np.array(half(ordered)[:-1] + half(ordered[::-1])[:-1])


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

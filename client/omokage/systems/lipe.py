"""LIPE (Liu et al. 2024): a picture is edited by what was learned of the person in it; what is not the person stays, to the byte.

Inversion by DDIM; the subject's mask from the attention to the person's tokens and from the mask engine; latents blended by it. Here the head is also
laid where it is to lie, with its own light, doing what the words say (docs/architecture.md).
"""

import numpy as np

from omokage.attention import to_the_person
from omokage.blur import blurred
from omokage.denoising import Known
from omokage.errors import InvalidRequest
from omokage.frame import Pixels
from omokage.head import Head, expressive, hold_of, laid, overlaid
from omokage.knobs import Knob
from omokage.passes import Painted
from omokage.photos import read
from omokage.pose import fitted, in_space
from omokage.seen import Seen, cells, enlarged, floats, person_in, seen
from omokage.sitting import Sitting
from omokage.system import COMMON, IDENTITY_SCALE, PRIOR_SCALE, Floats, System, as_set
from omokage.systems.crossfaceid import branches

MASK_THRESHOLD = Knob("mask_threshold", 0.3, 0.05, 0.95, "share of the most attention from which on a place is the person's")
BLEND_END = Knob("blend_end", 1.0, 0.0, 1.0, "share of the steps over which what is not the person is held as it was; after them the picture is free")
NEAR = 2  # cells round the head, before and after, within which what is the person's may change, too: farther away clothes stay as they are
FEATHER = 8  # pixels of a portrait over which the edited part goes over into the picture, inside the mask


def edited(sitting: Sitting) -> Painted:
    """The picture with the person doing what the words and the turns say."""
    infer, knobs = sitting.infer, sitting.knobs
    picture = seen(infer, sitting.pictures["image"], sitting.size, "image")
    latent = infer("vae_encoder", {"picture": floats(picture.square)})["latent"]
    head = _head(sitting, picture)
    cover = head.cover
    sitting.watch.done("picture and head")
    subject = _subject(sitting, picture, latent, cover)
    sitting.watch.done("mask")
    noise = sitting.inverted(latent)
    sitting.watch.done("inversion")
    kept: Floats = np.maximum(cover, 1 - subject).astype(np.float32)
    hold: Floats = np.where(cover > 1 - subject, hold_of(head.inside, knobs["hold"]), knobs["blend_end"]).astype(np.float32)
    held = Known(np.asarray(latent + cover * (head.latent - latent), np.float32), kept, hold, sitting.schedule)
    made = sitting.denoised(sitting.branches(), head.pose, held, noise)
    sitting.watch.done("denoising")
    mask = _feathered(enlarged(subject, sitting.size))
    return _back(picture, sitting.decoded(made, head), mask)


def _head(sitting: Sitting, picture: Seen) -> Head:
    """The picture's own, doing what is wanted, where it is to lie."""
    infer, knobs = sitting.infer, sitting.knobs
    shape = expressive(infer, picture.shape, sitting.wanted, knobs["expression_scale"])[0]
    turned = shape @ np.asarray(in_space(*sitting.system.turns(knobs)).T, np.float32)
    texture = overlaid(infer, picture.texture, sitting.wanted, knobs["overlay_scale"])
    return laid(infer, fitted(picture.shape[0], picture.landmarks, turned), texture, float(knobs["pose_scale"]))


def _subject(sitting: Sitting, picture: Seen, latent: Floats, cover: Floats) -> Floats:
    """[1, 1, h, w], 0 or 1: where the person is or will be. Of one's own mask, or of attention and mask engine together; the head is always in it."""
    side = latent.shape[-1]
    if "mask" in sitting.pictures:
        return _own(sitting.pictures["mask"], picture, sitting.size, side)
    before = sitting.infer("condition_pose", {"placed_landmarks": picture.landmarks[None], "texture": picture.texture})
    attention = to_the_person(sitting, latent, before["condition"])
    person = cells(person_in(sitting.infer, picture.square), side) > 0.5
    covered = (np.maximum(before["cover"], cover)[0, 0] > 0).astype(np.float32)
    heads, near = (blurred(covered, reach) > 0 for reach in (1, NEAR))  # a cell that a head covers by less than half is its own, too
    return np.asarray(heads | (near & person & (attention >= sitting.knobs["mask_threshold"] * attention.max())), np.float32)


def _own(data: bytes, picture: Seen, size: int, side: int) -> Floats:
    """Raises InvalidRequest for a mask of another size than the picture's, or one that marks nothing near the face."""
    given = read(data).pixels
    if given.shape != picture.photo.shape:
        got, wanted = (f"{one.shape[1]} x {one.shape[0]}" for one in (given, picture.photo))
        raise InvalidRequest(f"the mask is {got}, the picture {wanted}; send one of the same size, white where the picture may change")
    marked = picture.frame.cut(given, size).astype(np.float32).mean(2) / 255
    found = cells(marked, side) > 0.5
    if not found.any():
        raise InvalidRequest("the mask marks nothing in the square round the face; send one that is white where the picture may change")
    return np.asarray(found, np.float32)


def _feathered(mask: Floats) -> Floats:
    """A mask [H, W] of 0 and 1, falling to 0 inside itself: beyond it nothing is ever changed."""
    return np.asarray(np.clip(2 * blurred(mask, FEATHER) - 1, 0, 1) * mask, np.float32)


def _back(picture: Seen, square: Pixels, mask: Floats) -> Painted:
    """The whole picture again."""
    whole = picture.frame.back(picture.photo, square, mask)
    changed = float((whole != picture.photo).any(2).mean())
    return Painted(pixels=whole, notes=picture.notes, told={"changed": round(changed, 4)})


LIPE = System(
    "lipe",
    "a picture edited: the same person and surroundings, another expression or pose",
    (*COMMON, IDENTITY_SCALE, PRIOR_SCALE, MASK_THRESHOLD, BLEND_END),
    branches,
    pictures=("image", "mask"),
    needs=("image",),
    personal=True,
    turns=as_set,
    passes=edited,
)

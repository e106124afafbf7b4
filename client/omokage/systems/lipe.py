"""LIPE (Liu et al. 2024): a picture is edited by what was learned of the person in it; what is not the person stays, to the byte.

Inversion by DDIM; the subject's mask from the attention to the person's tokens and from the mask engine; latents blended by it. Here the head is also
laid where it is to lie, with its own light, doing what the words say (docs/architecture.md).
"""

import numpy as np

from omokage.blur import blurred
from omokage.denoising import Known
from omokage.frame import Pixels
from omokage.head import Head, expressive, hold_of, inside, laid, overlaid
from omokage.knobs import Knob
from omokage.passes import Painted
from omokage.pose import fitted, in_space
from omokage.seen import Seen, enlarged, floats, seen
from omokage.sitting import Sitting
from omokage.subject import behind, of_a_mask, of_the_person
from omokage.system import COMMON, IDENTITY_SCALE, PRIOR_SCALE, Arrays, Floats, System, as_set
from omokage.systems.crossfaceid import branches
from omokage.warp import moved

MASK_THRESHOLD = Knob("mask_threshold", 0.3, 0.05, 0.95, "share of the most attention from which on a place is the person's")
BLEND_END = Knob("blend_end", 1.0, 0.0, 1.0, "share of the steps over which what is not the person is held as it was; after them the picture is free")
OVER = 0.04  # of 2, the range of a head that is laid: what words put over one changes it by more
FEATHER = 8  # pixels of a portrait over which the edited part goes over into the picture, inside the mask


def edited(sitting: Sitting) -> Painted:
    """The picture with the person doing what the words and the turns say."""
    infer, knobs = sitting.infer, sitting.knobs
    picture = seen(infer, sitting.pictures["image"], sitting.size, "image")
    latent = infer("vae_encoder", {"picture": floats(picture.square)})["latent"]
    before = infer("condition_pose", {"placed_landmarks": picture.landmarks[None], "texture": picture.texture})
    head = _head(sitting, picture, before)
    cover = head.cover
    sitting.watch.done("picture and head")
    own = "mask" in sitting.pictures
    subject = of_a_mask(sitting, picture, before, head) if own else of_the_person(sitting, picture, latent, before, head)
    sitting.watch.done("mask")
    noise = sitting.inverted(latent)
    sitting.watch.done("inversion")
    kept: Floats = np.maximum(cover, 1 - subject.cells).astype(np.float32)
    hold: Floats = np.where(cover > 1 - subject.cells, hold_of(head.inside, knobs["hold"]), knobs["blend_end"]).astype(np.float32)
    held = Known(np.asarray(latent + cover * (head.latent - latent), np.float32), kept, hold, sitting.schedule)
    made = sitting.denoised(sitting.branches(), head.pose, held, noise)
    sitting.watch.done("denoising")

    def lay(portrait: Floats, head: Head, share: float) -> Floats:
        if share * head.own == 0:
            return portrait
        plate = behind(floats(picture.square), portrait, subject)
        whole = plate + head.matte * (head.picture - plate)
        return np.asarray(portrait + np.float32(share * head.own) * (whole - portrait), np.float32)

    return _back(picture, sitting.decoded(made, head, lay), _feathered(enlarged(subject.cells, sitting.size)))


def _head(sitting: Sitting, picture: Seen, before: Arrays) -> Head:
    """The picture's own, doing what is wanted: its points move from where they are. Unless it turns, its pixels do, too, with what is close to them,
    and of its texture there is no more than what the words put over it. `before`: the head as the picture has it, as condition_pose draws it."""
    infer, knobs = sitting.infer, sitting.knobs
    shape, turn = picture.shape[0], in_space(*sitting.system.turns(knobs))
    told = expressive(infer, picture.shape, sitting.wanted, knobs["expression_scale"])[0] - shape
    wanted = (shape + _alone(told, shape)) @ np.asarray(turn.T, np.float32)
    places = picture.landmarks + fitted(shape, picture.landmarks, wanted) - fitted(shape, picture.landmarks)
    head = laid(infer, places, overlaid(infer, picture.texture, sitting.wanted, knobs["overlay_scale"]), float(knobs["pose_scale"]))
    if not np.array_equal(turn, np.eye(3)):
        return head
    bare = infer("condition_pose", {"placed_landmarks": places[None], "texture": picture.texture})["laid"]
    over = np.abs(head.picture - bare).max(1)[0] > OVER
    share = head.matte * np.clip(2 * blurred(over.astype(np.float32), 2), 0, 1)
    own = moved(floats(picture.square), picture.landmarks, places)
    own = np.asarray(own + share * (head.picture - own), np.float32)
    matte = np.where(over, head.matte, np.maximum(before["matte"], head.matte))  # hair beside a hat is taken away
    cover = np.maximum(before["cover"], head.cover)
    return head._replace(picture=own, matte=matte, cover=cover, inside=inside(cover), latent=infer("vae_encoder", {"picture": own})["latent"])


def _alone(change: Floats, shape: Floats) -> Floats:
    """[468, 3]: how an expression moves the points of a face [468, 3], without what moves, turns or stretches all of the head."""
    known = np.concatenate([shape, np.ones_like(shape[:, :1])], 1)
    return np.asarray(change - known @ np.linalg.lstsq(known, change, rcond=None)[0], np.float32)


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

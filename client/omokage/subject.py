"""What of a picture may change: the person's head where it was and where it will be, and what shows where it has left."""

from typing import NamedTuple

import numpy as np

from omokage.attention import to_the_person
from omokage.blur import blurred
from omokage.errors import InvalidRequest
from omokage.head import Head
from omokage.photos import read
from omokage.plate import Mask, fringed, near, spread_over
from omokage.seen import Seen, cells, enlarged, person_in
from omokage.sitting import Sitting
from omokage.system import Arrays, Floats

LEFT = 0.3  # share of a pixel that the head covers less than before: from there on it has left it
SLIVER = 2  # pixels: what a head has left is wider, and so far the person may reach beyond what the mask engine calls one
EDGE, HANGING = 6, 24  # pixels round those that the head has left: the first have something of it, the others are given up if they are the person's
SURE = 0.3  # from which share on the mask engine's pixels count as the person's


class Subject(NamedTuple):
    """`cells` [1, 1, h, w], 0 or 1: where the picture may change. Of its pixels behind the head, each [H, W]: `anew`, those that are the portrait's;
    `left`, those over which what is beside them is spread; `strange`, those of which nothing is spread."""

    cells: Floats
    anew: Mask
    left: Mask
    strange: Mask


def of_a_mask(sitting: Sitting, picture: Seen, before: Arrays, head: Head) -> Subject:
    """What one's own mask marks of the square round the face, in whole cells of latents: all of it is made anew. `before`: the picture's head, as
    condition_pose draws it. Raises InvalidRequest for a mask of another size than the picture's, or one that marks nothing there."""
    given = read(sitting.pictures["mask"]).pixels
    if given.shape != picture.photo.shape:
        got, wanted = (f"{one.shape[1]} x {one.shape[0]}" for one in (given, picture.photo))
        raise InvalidRequest(f"the mask is {got}, the picture {wanted}; send one of the same size, white where the picture may change")
    marked = picture.frame.cut(given, sitting.size).astype(np.float32).mean(2) / 255
    found = np.asarray(cells(marked, head.cover.shape[-1]) > 0.5, np.float32)
    if not found.any():
        raise InvalidRequest("the mask marks nothing in the square round the face; send one that is white where the picture may change")
    anew = enlarged(found, sitting.size) > 0
    heads = fringed(head.matte) | fringed(before["matte"])
    return Subject(found, anew, anew & (fringed(head.matte) | left_by(before["matte"], head.matte, np.zeros_like(anew))), heads)


def of_the_person(sitting: Sitting, picture: Seen, latent: Floats, before: Arrays, head: Head) -> Subject:
    """Of the head as the picture has it and as it will lie, and of attention to the person's tokens and mask engine together: so what hangs on a head
    that moves is known. `latent`: the picture's; `before`: its head, as condition_pose draws it. Raises whatever `infer` raises."""
    attention = to_the_person(sitting, latent, before["condition"])
    looked_at = np.asarray(attention >= sitting.knobs["mask_threshold"] * attention.max(), np.float32)
    chin = float(picture.landmarks[:, 1].max())
    person = near(person_in(sitting.infer, picture.square) > SURE, SLIVER, SLIVER) & above(chin, sitting.size)  # shoulders may go on upwards
    left = left_by(before["matte"], head.matte, person & (enlarged(looked_at, sitting.size) > 0)) & above(chin, sitting.size)
    reached = np.maximum(np.maximum(before["cover"], head.cover), cells(left.astype(np.float32), latent.shape[-1])) > 0
    wide = blurred(reached[0, 0].astype(np.float32), 1) > 0  # a cell that a head covers by less than half is its own, too
    return Subject(np.asarray(wide, np.float32)[None, None], np.zeros_like(left), left, person)


def above(chin: float, size: int) -> Mask:
    """[size, 1]: which rows are above a height in 0..1. Below a chin is the neck, which stays where it is."""
    return np.asarray(((np.arange(size) + 0.5) / size < chin)[:, None], np.bool_)


def left_by(before: Floats, after: Floats, theirs: Mask) -> Mask:
    """[H, W]: what a head has left whose matte [1, 1, H, W] was another before, with what is the person's [H, W] beside that and above."""
    gone = blurred(((before - after)[0, 0] > LEFT).astype(np.float32), SLIVER) > 0.5
    return near(gone, EDGE, EDGE) | (near(gone, HANGING, EDGE) & theirs)


def behind(picture: Floats, portrait: Floats, subject: Subject) -> Floats:
    """[1, 3, S, S] in -1..1: what a head is laid over: a picture [1, 3, S, S] with what of a portrait [1, 3, S, S] takes its place."""
    return spread_over(np.where(subject.anew, portrait, picture).astype(np.float32), subject.left, subject.strange)

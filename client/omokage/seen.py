"""A picture that is given to be changed: its face, the square round it, and that square as the networks see it."""

from dataclasses import dataclass

import numpy as np

from omokage import photos
from omokage.frame import Frame, Pixels, round_face
from omokage.system import Floats, Infer
from omokage.texts import report_of, text


@dataclass(frozen=True)
class Seen:
    """`photo` [H, W, 3] RGB; `frame`: the square round its largest face; `square` [size, size, 3]; `landmarks` [468, 2] in 0..1 of the square, and
    `shape` [1, 468, 3] from the front; `texture` of the head; `notes` on the picture."""

    photo: Pixels
    frame: Frame
    square: Pixels
    landmarks: Floats
    shape: Floats
    texture: Floats
    notes: tuple[str, ...]


def seen(infer: Infer, data: bytes, size: int, what: str) -> Seen:
    """`what` the picture is called. Raises BadPhoto, NoFace, and whatever `infer` raises."""
    photo, found = photos.read(data).pixels, infer("face_analysis", {"photo": text(data)})
    frame = round_face(found["box"][0], photo.shape[1], photo.shape[0])
    notes = tuple(f"{what}: {note}" for note in report_of(found)["notes"])
    return Seen(photo, frame, frame.cut(photo, size), frame.places(found["landmarks"][0]), found["shape"], found["texture"], notes)


def floats(picture: Pixels) -> Floats:
    """Pixels [H, W, 3] to [1, 3, H, W] in -1..1."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1)


def person_in(infer: Infer, picture: Pixels) -> Floats:
    """[256, 256] in 0..1: where the person is in a picture [256, 256, 3]."""
    return np.asarray(infer("person_mask", {"picture": (floats(picture) + 1) / 2})["mask"][0, 0], np.float32)


def cells(mask: Floats, side: int) -> Floats:
    """A mask [H, H] as [1, 1, side, side], by the mean of what falls into a cell."""
    step = len(mask) // side
    return np.asarray(mask.reshape(side, step, side, step).mean((1, 3))[None, None], np.float32)


def enlarged(mask: Floats, size: int) -> Floats:
    """Cells [1, 1, h, h] as [size, size], each as they are."""
    return np.repeat(np.repeat(mask[0, 0], size // mask.shape[2], 0), size // mask.shape[3], 1)

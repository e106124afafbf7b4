"""The texture of a face: its head alone, without what is behind it, as `export/texture.py` lays it out."""

import cv2
import numpy as np
import numpy.typing as npt

from omokage.faces import CROP, TEMPLATE, Face, Image, similarity
from omokage.system import Floats, Infer

SIDE, MASKED = 384, 256  # pixels of the head that is laid out, and of what the network of masks sees of it
WHOLE_HEAD_TEMPLATE = np.asarray(((TEMPLATE - TEMPLATE.mean(0)) * 0.52 + [CROP / 2, CROP / 2 + 14]) * (SIDE / CROP), np.float32)
"""ArcFace's places of the five points on it: so small and low that hats and high hair are whole, of heads that turn, too, whose eyes lie closer
together."""
LARGEST = 2.0  # times as large as there; of a larger head pixels would be skipped
SHARPER = 8.0  # times: what the network takes for a person by .44 or less is none, by .56 or more one
BEHIND = 127.0  # 0..255, in the place of what is behind the person
SPECK = 5  # pixels of a mask, across the square over which it is the median: it has holes and crumbs of one or a few
RIM = 2  # pixels of the head, in which the mask may be wrong
CERTAIN = 0.95  # share of a pixel that is the person's
FAR = 0.01  # of what is round a pixel, the share that is inside for certain: with less there are no colours to take
NARROW = 15
"""Pixels of a mask: where a disc so wide does not fit is no part of a person, but a light behind that touches one, or the like. Ears are larger."""

Place = npt.NDArray[np.float64]
"""[2, 3]: pixels of a photo to pixels of the head."""


def texture(infer: Infer, photo: Image, face: Face, marks: npt.NDArray[np.float64]) -> Floats:
    """[3, 192, 192] in 0..1 of a face in an RGB photo [H, W, 3], with its surface [468, 3] (`surface.surface`)."""
    place, points = on_head(face, marks)
    head = _cut(photo, place)
    person = _person(infer, head, points)
    whole = (BEHIND + person * (foreground(head, person) - BEHIND)).transpose(2, 0, 1)[None]
    given = {"whole_head": whole.astype(np.float32), "head_landmarks": points[None].astype(np.float32)}
    return np.asarray(infer("face_texture", given)["texture"][0], np.float32)


def on_head(face: Face, marks: npt.NDArray[np.float64]) -> tuple[Place, npt.NDArray[np.float64]]:
    """Where a face's head of 384 x 384 pixels lies in its photo, and the points [468, 2] in 0..1 of that head of the face's surface [468, 3]."""
    place = similarity(face.points, WHOLE_HEAD_TEMPLATE)
    return place, (marks[:, :2] @ place[:, :2].T + place[:, 2] + 0.5) / SIDE


def of_one(mask: Floats, points: npt.NDArray[np.float64]) -> Floats:
    """The part of a mask [256, 256] in 0..1 that hangs together with a face's points [468, 2] in 0..1, without what is narrow, its edge sharpened."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (NARROW, NARROW))
    opened = cv2.morphologyEx(cv2.medianBlur(mask, SPECK), cv2.MORPH_OPEN, disc)
    sharp = np.clip((opened - 0.5) * SHARPER + 0.5, 0, 1)
    _, parts = cv2.connectedComponents((sharp > 0).astype(np.uint8))
    across, down = np.clip(points * len(mask), 0, len(mask) - 1).astype(int).T
    return np.asarray(sharp * np.isin(parts, parts[down, across]), np.float32)


def foreground(head: Image, person: Floats) -> Floats:
    """[384, 384, 3] in 0..255: a head [384, 384, 3] that has its inside's colours in the rim of what is the person's [384, 384, 1] in 0..1. Something
    of what was behind is in that, and a turn would make it wide. A normalized blur, as in Forte 2021, of what is inside for certain."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM + 1, 2 * RIM + 1))
    inner = cv2.erode((person[..., 0] > CERTAIN).astype(np.float32), disc, borderType=cv2.BORDER_REPLICATE)
    size = (4 * RIM + 1, 4 * RIM + 1)
    known = cv2.blur(cv2.blur(inner, size), size)[..., None]
    colours = cv2.blur(cv2.blur(head * inner[..., None], size), size) / np.maximum(known, 1e-6)
    own = np.maximum(np.clip(2 * cv2.blur(inner, (RIM + 1, RIM + 1)) - 1, 0, 1)[..., None], known < FAR)
    return np.asarray(colours + own * (head - colours), np.float32)


def _person(infer: Infer, head: Image, points: npt.NDArray[np.float64]) -> Floats:
    """[384, 384, 1] in 0..1: where a head [384, 384, 3] is of the person with such points, as its mirror image says, too: the geometric mean of both,
    since what the network takes for a person by mistake it mostly does not in the other."""
    small = np.asarray(cv2.resize(head, (MASKED, MASKED), interpolation=cv2.INTER_AREA), np.float32).transpose(2, 0, 1)[None] / 255
    seen, mirrored = (infer("person_mask", {"picture": np.ascontiguousarray(one)})["mask"][0, 0] for one in (small, small[..., ::-1]))
    mask = of_one(np.sqrt(seen * mirrored[:, ::-1]), points)
    return np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)[..., None], np.float32)


def _cut(photo: Image, place: Place) -> npt.NDArray[np.uint8]:
    """[384, 384, 3] RGB."""
    shrink = min(1.0, LARGEST * float(np.linalg.norm(place[:, 0])))
    if shrink < 1:
        size = max(1, round(photo.shape[1] * shrink)), max(1, round(photo.shape[0] * shrink))
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
        place = np.concatenate([place[:, :2] / shrink, place[:, :2].sum(1, keepdims=True) * (0.5 / shrink - 0.5) + place[:, 2:]], 1)
    return np.asarray(cv2.warpAffine(photo, place, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderValue=(BEHIND,) * 3), np.uint8)

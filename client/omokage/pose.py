"""Where a face is to lie in a portrait: as in a photo of another size, or as the person's own would when the head is turned."""

import numpy as np
import numpy.typing as npt

from omokage.system import Floats

AROUND = 2.3  # sides of the face's box in the square round it: as the portraits that the networks learned from

EYES_APART, MIDDLE = 0.194, (0.503, 0.513)
"""Sides of the portrait: distance of the eyes and mean of the five points, of 65 rendered heads that face the camera."""

EYES = ((33, 133), (263, 362))  # MediaPipe's points: outer and inner corner, the viewer's left eye first
NOSE, MOUTH = 1, (61, 291)


def five(marks: Floats) -> Floats:
    """[5, k]: eyes, tip of the nose and mouth corners, the viewer's left first, of MediaPipe's points [468, k]."""
    return np.stack([*(marks[list(eye)].mean(0) for eye in EYES), marks[NOSE], *marks[list(MOUTH)]])


def square(box: Floats, width: int, height: int) -> tuple[Floats, float]:
    """(corner [2], side) of the square round a face that lies within a photo as far as it can; in pixels, as the box is."""
    side = min(AROUND * float(box[2:].max()), float(max(width, height)))
    middle = box[:2] + box[2:] / 2
    room = np.array([width, height], np.float32) - side
    return np.where(room > 0, np.clip(middle - side / 2, 0, np.maximum(room, 0)), room / 2), side


def framed(points: Floats, box: Floats, width: int, height: int) -> Floats:
    """Points [n, 2] in pixels of a photo to 0..1 of the square round a face."""
    corner, side = square(box, width, height)
    return np.asarray((points - corner) / side, np.float32)


def fitted(shape: Floats, onto: Floats, moved: Floats | None = None) -> Floats:
    """[n, 2]: a face's points from the front [n, 3] (`surface.from_the_front`), turned, moved and sized in space to lie, seen from far away, on
    those of a face [n, 2], which may be somebody else's: the nearest affine map, of which the turn and the mean size are kept.

    `moved` [n, 3]: the same face doing something else; it is laid there instead, by the map of the first."""
    turn, size = _laid(shape, onto)
    return np.asarray(((shape if moved is None else moved) - shape.mean(0)) @ (size * turn).T + onto.mean(0), np.float32)


def _laid(shape: Floats, onto: Floats) -> tuple[npt.NDArray[np.float64], float]:
    """([2, 3] the first rows of a turn, size) that bring points [n, 3] nearest to places [n, 2] of another middle."""
    turn, sizes, rest = np.linalg.svd(np.linalg.lstsq(shape - shape.mean(0), onto - onto.mean(0), rcond=None)[0].T, full_matrices=False)
    return np.asarray(turn @ rest), float(sizes.mean())


def in_space_of(shape: Floats, onto: Floats) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a head whose points from the front [n, 3] are seen at places [n, 2]: `in_space`, the other way round."""
    turn, _ = _laid(shape, onto)
    away = np.cross(turn[0], turn[1])  # the third row
    found = np.arcsin(np.clip(away[0], -1, 1)), np.arctan2(-away[1], away[2]), np.arctan2(turn[1, 0], turn[0, 0])
    yaw, pitch, roll = (float(value) for value in np.degrees(found))
    return yaw, pitch, roll


def in_space(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    """[3, 3]: what turns a head by degrees. First raised (pitch), then turned to the viewer's right (yaw), then leant to the right (roll)."""
    (cos_y, cos_p, cos_r), (sin_y, sin_p, sin_r) = np.cos(angles := np.radians([yaw, pitch, roll])), np.sin(angles)
    raise_ = np.array([[1, 0, 0], [0, cos_p, sin_p], [0, -sin_p, cos_p]])
    turn = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    lean = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
    return np.asarray(lean @ turn @ raise_)


def turned(shape: Floats, yaw: float, pitch: float, roll: float) -> Floats:
    """[468, 2] in 0..1 of a portrait: a face's points from the front [468, 3] (`surface.from_the_front`), the head turned by degrees, far from the
    camera."""
    seen = (shape @ in_space(yaw, pitch, roll).T)[:, :2]
    return np.asarray((seen - five(seen).mean(0)) * EYES_APART + MIDDLE, np.float32)

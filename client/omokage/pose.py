"""Where a face is to lie in a portrait: as in a photo of another size, or as the person's own would when the head is turned."""

import numpy as np

from omokage.systems.base import Floats

AROUND = 2.3  # sides of the face's box in the square round it: as the portraits that the networks learned from

EYES_APART, MIDDLE = 0.194, (0.503, 0.513)
"""Sides of the portrait: distance of the eyes and mean of the five points, of 65 rendered heads that face the camera."""

EYES = ((33, 133), (263, 362))  # MediaPipe's points: outer and inner corner, the viewer's left eye first
NOSE, MOUTH = 1, (61, 291)


def five(marks: Floats) -> Floats:
    """[5, k]: eyes, tip of the nose and mouth corners, the viewer's left first, of MediaPipe's points [468, k]."""
    return np.stack([*(marks[list(eye)].mean(0) for eye in EYES), marks[NOSE], *marks[list(MOUTH)]])


def framed(points: Floats, box: Floats, width: int, height: int) -> Floats:
    """Points [n, 2] in pixels of a photo to 0..1 of a square round the face that lies within it as far as it can."""
    side = min(AROUND * float(box[2:].max()), float(max(width, height)))
    middle = box[:2] + box[2:] / 2
    room = np.array([width, height], np.float32) - side
    corner = np.where(room > 0, np.clip(middle - side / 2, 0, np.maximum(room, 0)), room / 2)
    return np.asarray((points - corner) / side, np.float32)


def fitted(shape: Floats, onto: Floats) -> Floats:
    """[n, 2]: a face's points from the front [n, 3] (`surface.from_the_front`), turned, moved and sized in space to lie, seen from far away, on
    those of a face [n, 2], which may be somebody else's: the nearest affine map, of which the turn and the mean size are kept."""
    points, places = shape - shape.mean(0), onto - onto.mean(0)
    turn, sizes, rest = np.linalg.svd(np.linalg.lstsq(points, places, rcond=None)[0].T, full_matrices=False)
    return np.asarray(points @ (sizes.mean() * turn @ rest).T + onto.mean(0), np.float32)


def turned(shape: Floats, yaw: float, pitch: float, roll: float) -> Floats:
    """[468, 2] in 0..1 of a portrait: a face's points from the front [468, 3] (`surface.from_the_front`), the head turned by degrees.

    First raised (pitch), then turned to the viewer's right (yaw), then leant to the right (roll), all far from the camera.
    """
    (cos_y, cos_p, cos_r), (sin_y, sin_p, sin_r) = np.cos(angles := np.radians([yaw, pitch, roll])), np.sin(angles)
    raise_ = np.array([[1, 0, 0], [0, cos_p, sin_p], [0, -sin_p, cos_p]])
    turn = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    lean = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
    seen = (shape @ (lean @ turn @ raise_).T)[:, :2]
    return np.asarray((seen - five(seen).mean(0)) * EYES_APART + MIDDLE, np.float32)

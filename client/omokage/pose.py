"""Where a face is to lie in a portrait: as in a photo of another size, or as the person's own would when the head is turned."""

import numpy as np

from omokage.systems.base import Floats

AROUND = 2.3  # sides of the face's box in the square round it: as the portraits that the networks learned from

EYES_APART, MIDDLE = 0.194, (0.503, 0.513)
"""Sides of the portrait: distance of the eyes and mean of the five points, of 65 rendered heads that face the camera."""


def framed(points: Floats, box: Floats, width: int, height: int) -> Floats:
    """Five points [5, 2] in pixels of a photo to 0..1 of a square round the face that lies within it as far as it can."""
    side = min(AROUND * float(box[2:].max()), float(max(width, height)))
    middle = box[:2] + box[2:] / 2
    room = np.array([width, height], np.float32) - side
    corner = np.where(room > 0, np.clip(middle - side / 2, 0, np.maximum(room, 0)), room / 2)
    return np.asarray((points - corner) / side, np.float32)


def turned(shape: Floats, yaw: float, pitch: float, roll: float) -> Floats:
    """[5, 2] in 0..1 of a portrait: a face's five points from the front [5, 3] (`surface.from_the_front`), the head turned by degrees.

    First raised (pitch), then turned to the viewer's right (yaw), then leant to the right (roll), all far from the camera. Against the truth of
    rendered heads, with the shape taken from another shot: median error .066 of the eyes' distance.
    """
    (cos_y, cos_p, cos_r), (sin_y, sin_p, sin_r) = np.cos(angles := np.radians([yaw, pitch, roll])), np.sin(angles)
    raise_ = np.array([[1, 0, 0], [0, cos_p, sin_p], [0, -sin_p, cos_p]])
    turn = np.array([[cos_y, 0, -sin_y], [0, 1, 0], [sin_y, 0, cos_y]])
    lean = np.array([[cos_r, -sin_r, 0], [sin_r, cos_r, 0], [0, 0, 1]])
    seen = (shape @ (lean @ turn @ raise_).T)[:, :2]
    return np.asarray((seen - seen.mean(0)) * EYES_APART + MIDDLE, np.float32)

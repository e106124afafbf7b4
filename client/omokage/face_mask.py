"""Where a face is in a picture, from its points: what is pasted of one, below its hair."""

from typing import Any

import numpy as np

from omokage.system import Floats

HAIRLINE = (10, 338, 297, 332, 284, 251, 109, 67, 103, 54, 21)  # MediaPipe's points: the upper edge of the forehead, where hair begins
GROWN = 0.06  # how much larger than the face's points the mask is


def in_both(one: Floats, other: Floats, size: int) -> Floats:
    """[size, size] in 0..1: where two faces' points [468, 2] in 0..1 lie over each other, so that skin ends at skin."""
    return np.asarray(np.minimum(face_mask(one, size), face_mask(other, size)), np.float32)


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

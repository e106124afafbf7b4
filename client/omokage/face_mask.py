"""Where a face is in a picture, from its points."""

from typing import Any

import numpy as np

from omokage.plate import Mask
from omokage.system import Floats

BETWEEN_EYES = 168
EARS, CHIN = (132, 361), (152,)
"""MediaPipe's points: below the ears, where a jaw begins, and where it ends."""


def hull(landmarks: Floats, size: int, grown: float = 0.0) -> Mask:
    """[size, size]: which pixels' middles lie in the convex hull of a face's points [468, 2] in 0..1, so much larger: as a share of itself."""
    points = landmarks.astype(np.float64) * size
    corners = _corners(points.mean(0) + (1 + grown) * (points - points.mean(0)))
    across, down = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    inside = np.ones((size, size), np.bool_)
    for one, other in zip(corners, np.roll(corners, -1, 0), strict=True):
        way = other - one
        inside &= way[0] * (down - one[1]) >= way[1] * (across - one[0])
    return inside


def below(landmarks: Floats, marks: tuple[int, ...], size: int) -> Floats:
    """[size, size]: by how many pixels places are lower than the middle of some of the points, along a face with points [468, 2] in 0..1."""
    down = landmarks[list(CHIN)].mean(0) - landmarks[BETWEEN_EYES]
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    places = (np.stack(np.meshgrid(np.arange(size), np.arange(size)), 2) + 0.5) / size
    return np.asarray(((places - landmarks[list(marks)].mean(0)) @ down) * size, np.float32)


def _corners(points: Any) -> Any:
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

"""A picture that follows points: what lies at them comes to lie where they move to."""

import numpy as np

from omokage.blur import stretched
from omokage.system import Floats

FINE = 2  # pixels of a picture for each place at which the way is told; between them it is linear
NEAREST = 0.003  # of a picture's side: points nearer than that count alike
STILL = 0.04  # of it: how strongly everything holds to where it is, as a point at that distance that does not move would


def moved(picture: Floats, before: Floats, after: Floats) -> Floats:
    """[1, 3, S, S]: a picture [1, 3, S, S] whose points [n, 2] in 0..1 of it have moved; far from them all stays. S is a multiple of FINE.

    Ways between points are means of theirs by the fourth power of the distance (Shepard 1968)."""
    side = picture.shape[3]
    places = (np.arange(side // FINE, dtype=np.float32) + 0.5) * FINE / side
    apart = (places[:, None, None] - after[:, 1]) ** 2 + (places[None, :, None] - after[:, 0]) ** 2
    weight = 1 / (apart + NEAREST**2) ** 2
    way = weight @ (before - after).astype(np.float32) / (weight.sum(2, keepdims=True) + STILL**-4)
    across, down = stretched(way.transpose(2, 0, 1).astype(np.float32), FINE) * side + np.indices((side, side), np.float32)[::-1]
    return _taken(picture, np.clip(across, 0, side - 1), np.clip(down, 0, side - 1))


def _taken(picture: Floats, across: Floats, down: Floats) -> Floats:
    """[1, C, S, S]: of a picture [1, C, S, S] what is at these places [S, S] in pixels within it, linearly between them."""
    most = picture.shape[3] - 2
    left, top = (np.minimum(one.astype(int), most) for one in (across, down))
    right, below = (across - left).astype(np.float32), (down - top).astype(np.float32)
    upper, lower = (picture[:, :, row, left] * (1 - right) + picture[:, :, row, left + 1] * right for row in (top, top + 1))
    return np.asarray(upper * (1 - below) + lower * below, np.float32)

"""Earrings as our own geometry, hung on the ear lobes."""

import numpy as np

from training.people.assets import Floats, Ints
from training.people.glasses import joined, tube


def earrings(style: str, lobes: Floats) -> tuple[Floats, Ints]:
    """Points [n, 3] dm and triangles for both ears; `lobes` [2, 3] (left, right) in the head's rest space."""
    parts = []
    for lobe, sign in zip(lobes, (1, -1), strict=True):
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        if style == "hoops":
            radius = 0.15
            path = lobe + np.stack([0 * turn + 0.03 * sign, radius * (np.cos(turn) - 1), radius * np.sin(turn)], 1)
            parts.append(tube(path.astype(np.float32), 0.016, closed=True))
        else:
            height = np.linspace(-0.99, 0.99, 7)
            parts.append(_ball(lobe + np.array([0.04 * sign, 0.02, 0.03]), 0.05, height, turn))
    return joined(parts)


def _ball(centre: Floats, radius: float, height: Floats, turn: Floats) -> tuple[Floats, Ints]:
    around = np.sqrt(1 - height**2)
    points = np.stack([around[:, None] * np.cos(turn), height[:, None] * np.ones_like(turn), around[:, None] * np.sin(turn)], -1).reshape(-1, 3)
    count, ring = len(turn), np.arange(len(turn))
    triangles = []
    for row in range(len(height) - 1):
        a, b = row * count + ring, row * count + (ring + 1) % count
        triangles += [np.stack([a, a + count, b], 1), np.stack([b, a + count, b + count], 1)]
    return (centre + radius * points).astype(np.float32), np.concatenate(triangles).astype(np.int32)

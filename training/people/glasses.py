"""Spectacles as our own geometry: two rims, a bridge and two temples, fitted to a head."""

from dataclasses import dataclass

import numpy as np

from training.people.assets import Floats, Ints

SIDES = 8  # corners of a wire's cross-section
RIM_POINTS = 28
BULGE = np.array([0, 0, 0.02], np.float32)  # dm, of a lens
BEHIND_EAR = np.array([0, -0.18, -0.14], np.float32)  # dm, from where a temple rests to its tip


@dataclass(frozen=True)
class Rim:
    """Half-sizes of a lens in dm, and the exponent of its superellipse (2 round, 4 nearly rectangular)."""

    width: float
    height: float
    exponent: float
    wire: float


RIMS: dict[str, Rim] = {
    "round": Rim(0.235, 0.225, 2.0, 0.014),
    "rectangular": Rim(0.275, 0.170, 4.0, 0.020),
    "oval": Rim(0.260, 0.185, 2.3, 0.012),
    "square": Rim(0.260, 0.215, 3.6, 0.026),
}


def tube(path: Floats, radius: float, closed: bool) -> tuple[Floats, Ints]:
    """A wire along a path [n, 3]: points and triangles."""
    count = len(path)
    ahead = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(ahead, np.array([0.09, 0.31, 0.95]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, ahead)
    turn = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    points = path[:, None] + radius * (np.cos(turn)[None, :, None] * side[:, None] + np.sin(turn)[None, :, None] * up[:, None])
    ring = np.arange(SIDES)
    triangles = []
    for row in range(count if closed else count - 1):
        a, b = row * SIDES + ring, row * SIDES + (ring + 1) % SIDES
        c, d = (a + SIDES) % (count * SIDES), (b + SIDES) % (count * SIDES)
        triangles += [np.stack([a, b, c], 1), np.stack([b, d, c], 1)]
    return points.reshape(-1, 3).astype(np.float32), np.concatenate(triangles).astype(np.int32)


def joined(parts: list[tuple[Floats, Ints]]) -> tuple[Floats, Ints]:
    points, triangles, start = [], [], 0
    for some, corners in parts:
        points.append(some)
        triangles.append(corners + start)
        start += len(some)
    return np.concatenate(points), np.concatenate(triangles)


def spectacles(style: str, left_eye: Floats, right_eye: Floats, front: float, ears: Floats) -> tuple[tuple[Floats, Ints], tuple[Floats, Ints]]:
    """(frame, lenses), each points [n, 3] dm and triangles [t, 3], in the head's rest space.

    left_eye, right_eye: [3] centres of the eye balls; front: z of the bridge of the nose; ears: [2, 3] where the temples rest (left, right).
    """
    rim = RIMS[style]
    turn = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    outline = np.stack([np.sign(f(turn)) * np.abs(f(turn)) ** (2 / rim.exponent) for f in (np.cos, np.sin)], 1)
    wires: list[tuple[Floats, Ints]] = []
    lenses: list[tuple[Floats, Ints]] = []
    inner, outer = [], []
    for eye, sign in ((left_eye, 1), (right_eye, -1)):
        x = eye[0] + 0.01 * sign + outline[:, 0] * rim.width
        y = eye[1] - 0.045 + outline[:, 1] * rim.height
        z = front + 0.03 - 0.22 * (np.abs(x) - 0.1)  # the frame follows the face
        path = np.stack([x, y, z], 1).astype(np.float32)
        wires.append(tube(path, rim.wire, closed=True))
        fan = np.stack([np.full(RIM_POINTS, RIM_POINTS), np.arange(RIM_POINTS), (np.arange(RIM_POINTS) + 1) % RIM_POINTS], 1)
        lenses.append((np.concatenate([path, path.mean(0, keepdims=True) + BULGE]).astype(np.float32), fan.astype(np.int32)))
        ends = path[np.argsort(path[:, 0] * sign)]
        upper = ends[:, 1] >= eye[1] - 0.03
        inner.append(ends[upper][0])
        outer.append(ends[upper][-1])
    middle = (inner[0] + inner[1]) / 2 + np.array([0, 0.025, 0.05])
    wires.append(tube(np.stack([inner[0], middle, inner[1]]).astype(np.float32), rim.wire * 0.9, closed=False))
    for corner, ear in zip(outer, ears, strict=True):
        hinge = corner + np.array([0.045 * np.sign(corner[0]), 0, -0.05])
        knots = np.stack([corner, hinge, (hinge + ear) / 2 + [0.02 * np.sign(corner[0]), 0.02, 0], ear, ear + BEHIND_EAR])
        wires.append(tube(knots.astype(np.float32), rim.wire, closed=False))
    return joined(wires), joined(lenses)

"""A picture follows its points: what lies at them moves along, and what is far from them stays."""

import numpy as np
from omokage.system import Floats
from omokage.warp import moved

SIDE = 64
DRAW = np.random.default_rng(0)
GRID = np.stack(np.meshgrid(np.linspace(0.35, 0.65, 12), np.linspace(0.35, 0.65, 12)), 2).reshape(-1, 2).astype(np.float32)


def ramp() -> Floats:
    """[1, 2, 64, 64]: every pixel tells where it lies, across and down, in 0..1."""
    across, down = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE)
    return np.asarray(np.stack([across, down])[None], np.float32)


def test_points_that_do_not_move_leave_the_picture_as_it_is() -> None:
    picture = DRAW.uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
    np.testing.assert_allclose(moved(picture, GRID, GRID), picture, atol=1e-5)


def test_what_lies_at_points_comes_to_lie_where_they_move() -> None:
    after = GRID + np.array([0.06, -0.03], np.float32)
    found = moved(ramp(), GRID, after)[0]
    rows, columns = ((after[:, axis] * SIDE).astype(int) for axis in (1, 0))
    middles = np.stack([columns, rows], 1).astype(np.float32) / SIDE + 0.5 / SIDE
    np.testing.assert_allclose(found[:, rows, columns].T, middles - [0.06, -0.03], atol=0.005)


def test_what_is_far_from_the_points_stays() -> None:
    found = moved(ramp(), GRID, GRID + np.float32(0.05))
    np.testing.assert_allclose(found[..., :4, :], ramp()[..., :4, :], atol=0.1 / SIDE)
    np.testing.assert_allclose(found[..., 63, 63], ramp()[..., 63, 63], atol=0.1 / SIDE)


def test_what_lay_outside_of_the_picture_comes_in_as_its_edge() -> None:
    found = moved(ramp(), GRID + np.float32(0.5), GRID + np.float32(0.3))
    shown = (GRID[GRID.min(1) > 0.52] + 0.3) * SIDE
    assert len(shown)
    columns, rows = shown.astype(int).T
    np.testing.assert_allclose(found[0][:, rows, columns], ramp().max(), atol=1e-5)

"""Whose texture is taken: of a mask, what hangs together with the face."""

import numpy as np
from omokage.texture import of_one

POINTS = np.array([[0.4, 0.4], [0.5, 0.5], [0.6, 0.4]])


def test_what_does_not_hang_together_with_the_face_is_left_out() -> None:
    mask = np.zeros((64, 64), np.float32)
    mask[16:48, 16:48] = 1
    mask[4:10, 52:60] = 1  # somebody, or something, else
    found = of_one(mask, POINTS)
    assert found[16:48, 16:48].min() == 1
    assert found.sum() == 32 * 32


def test_what_is_hardly_a_person_is_none_and_what_is_mostly_one_is() -> None:
    mask = np.full((64, 64), 0.3, np.float32)
    mask[16:48, 16:48] = 0.7
    found = of_one(mask, POINTS)
    assert found[20, 20] == 1
    assert found[4, 4] == 0


def test_a_mask_that_sees_nobody_leaves_nobody() -> None:
    assert of_one(np.zeros((64, 64), np.float32), POINTS).max() == 0

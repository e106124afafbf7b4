"""Whose texture is taken: of a mask, what hangs together with the face."""

import numpy as np
from omokage.texture import merged, of_one

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


def test_several_textures_become_one_that_is_sharp_and_has_what_most_of_them_have() -> None:
    """Three photos in different light, one with something dark on it; all with the same fine stripes, of which one has them elsewhere."""
    stripes = np.tile([0.05, -0.05], 96)[None, None].astype(np.float32)
    light = [np.full((1, 3, 192, 192), value, np.float32) for value in (0.4, 0.5, 0.6)]
    photos = [light[0] + stripes, light[1] + stripes, light[2] - stripes]
    photos[0][..., 80:112, 80:112] = 0
    found = merged(photos)
    inner = (0, slice(None), slice(20, 60), slice(20, 60))
    assert found.shape == (1, 3, 192, 192)
    np.testing.assert_allclose(found[inner], photos[1][inner], atol=0.01)
    assert found[0, :, 80:112, 80:112].min() > 0.4
    np.testing.assert_allclose(merged(photos[1:2]), photos[1], atol=1e-6)

"""The middle of some faces: even, and where they are."""

import numpy as np

from training.mini.mean_face import middle


def test_the_middle_of_uneven_faces_has_two_halves_alike() -> None:
    draw = np.random.default_rng(0)
    half = draw.uniform([0.1, -1, -1], [1, 1, 1], (20, 3))
    even = np.concatenate([half, half * [-1, 1, 1], [[0, 0.3, 0.2]]])
    faces = (even + draw.normal(size=(300, *even.shape)) * 0.02).astype(np.float32)
    found = middle(faces)
    np.testing.assert_allclose(found, even, atol=0.01)
    np.testing.assert_array_equal(found[:20] * [-1, 1, 1], found[20:40])
    assert found[40, 0] == 0

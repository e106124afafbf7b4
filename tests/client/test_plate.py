"""Behind a head lies what is farther out, without the fringe that making it left."""

import numpy as np
from omokage.blur import stretched
from omokage.plate import clean, near, put_on, spread_over
from omokage.system import Floats

ACROSS, DOWN = np.meshgrid(np.arange(256), np.arange(256))


def disc(radius: float) -> Floats:
    """[1, 1, 256, 256]: a head in the picture's middle."""
    return (np.hypot(ACROSS - 128, DOWN - 128) < radius).astype(np.float32)[None, None]


def wall(colour: float = 0.25) -> Floats:
    return np.full((1, 3, 256, 256), colour, np.float32)


def test_a_fringe_beside_and_above_a_head_is_gone() -> None:
    matte = disc(60)
    fringed = np.where(disc(66) > 0, np.float32(-1), wall())
    found = clean(fringed, matte)
    above = DOWN < 100
    np.testing.assert_allclose(found[:, :, above], wall()[:, :, above], atol=0.01)
    made = put_on(fringed, wall(0.75), matte)
    np.testing.assert_allclose(made[:, :, matte[0, 0] == 1], 0.75, atol=1e-6)
    np.testing.assert_allclose(made[:, :, (matte[0, 0] == 0) & above], 0.25, atol=0.01)


def test_a_plain_wall_stays_one_to_the_picture_s_edges() -> None:
    touching = (ACROSS < 90)[None, None].astype(np.float32)
    np.testing.assert_allclose(clean(wall(), touching), wall(), atol=1e-5)


def test_what_is_farther_away_stays_as_it_was_to_the_bit() -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, 256, 256)).astype(np.float32)
    found = clean(picture, disc(40))
    far = disc(40 + 18 * np.sqrt(2) + 4)[0, 0] == 0
    np.testing.assert_array_equal(found[:, :, far], picture[:, :, far])
    assert (found != picture).any()


def test_below_a_head_its_neck_goes_on_into_what_was_made() -> None:
    head = disc(30)[0, 0] > 0
    found = near(head, 10, 2)
    assert found[128 - 38, 128]
    assert found[128, 128 + 38]
    assert not found[128 + 33, 128]


def test_a_head_that_fills_the_picture_leaves_it_finite() -> None:
    everywhere = np.ones((1, 1, 256, 256), np.float32)
    assert np.isfinite(clean(wall(), everywhere)).all()


def test_larger_pictures_are_cleaned_over_as_large_a_part_of_them() -> None:
    fringed = np.where(disc(66) > 0, np.float32(-1), wall())
    double = clean(fringed.repeat(2, 2).repeat(2, 3), disc(60).repeat(2, 2).repeat(2, 3))
    np.testing.assert_allclose(double[:, :, :200], 0.25, atol=0.01)


def test_where_all_that_is_known_is_strange_it_is_taken_nevertheless() -> None:
    picture = np.where(disc(20) > 0, np.float32(-1), wall())
    found = spread_over(picture, disc(24)[0, 0] > 0, disc(24)[0, 0] == 0)
    np.testing.assert_allclose(found[0, :, 128, 128], 0.25, atol=0.01)


def test_values_are_stretched_linearly_between_middles() -> None:
    np.testing.assert_allclose(stretched(np.array([[[0.0, 1.0]] * 2], np.float32), 2)[0, 0], [0, 0.25, 0.75, 1])

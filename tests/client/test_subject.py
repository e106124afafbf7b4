"""Where a head has moved away, what is beside it shows; all else of the picture stays."""

import numpy as np
from omokage.plate import near
from omokage.subject import EDGE, HANGING, Subject, above, behind, left_by
from omokage.system import Floats

SIDE = 128
ACROSS, DOWN = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
NOBODY = np.zeros((SIDE, SIDE), np.bool_)


def disc(middle: int) -> Floats:
    """[1, 1, 128, 128]: a head's matte."""
    return (np.hypot(ACROSS - middle, DOWN - 64) < 30).astype(np.float32)[None, None]


def test_a_head_that_stays_leaves_nothing() -> None:
    assert not left_by(disc(64), disc(64), ~NOBODY).any()
    assert not left_by(disc(64), disc(65), NOBODY).any(), "a sliver of a pixel is none"


def test_what_a_head_has_left_is_its_old_place_and_a_few_pixels_round_it() -> None:
    found = left_by(disc(50), disc(80), NOBODY)
    assert found[64, 25]
    assert found[64, 50 - 30 - EDGE + 1]
    assert not found[64, 50 - 30 - EDGE - 2]
    assert not found[64, 100]


def test_what_is_the_persons_beside_that_goes_along() -> None:
    found = left_by(disc(70), disc(100), DOWN < 70)
    outermost = 70 - 30 - HANGING
    assert found[60, outermost + 4]
    assert not found[60, outermost - 1]
    assert not found[80, 70 - 30 - EDGE - 4]


def test_necks_stay_since_rows_below_the_chin_are_not_above_it() -> None:
    np.testing.assert_array_equal(above(0.5, 8)[:, 0], [True] * 4 + [False] * 4)


def test_only_what_is_left_or_made_anew_differs_from_the_picture() -> None:
    picture, portrait = (np.full((1, 3, SIDE, SIDE), value, np.float32) for value in (0.2, 0.8))
    picture[:, :, 40:80, 20:50] = -1  # the head that was there
    left, anew = (ACROSS < 60) & (DOWN > 30) & (DOWN < 90), ACROSS > 100
    found = behind(picture, portrait, Subject(np.ones((1, 1, 16, 16), np.float32), anew, left, NOBODY))
    np.testing.assert_allclose(found[..., 60, 30], 0.2, atol=0.02)
    np.testing.assert_array_equal(found[..., anew], 0.8)
    apart = near(left, 4, 4)
    np.testing.assert_array_equal(found[..., ~apart & ~anew], picture[..., ~apart & ~anew])


def test_nothing_of_the_person_is_spread() -> None:
    picture = np.full((1, 3, SIDE, SIDE), 0.2, np.float32)
    person = ACROSS > 64
    picture[:, :, person] = -1
    left = (ACROSS > 40) & (ACROSS <= 64)
    found = behind(picture, picture, Subject(np.ones((1, 1, 16, 16), np.float32), NOBODY, left, person))
    np.testing.assert_allclose(found[:, :, left & (ACROSS < 60)], 0.2, atol=0.02)

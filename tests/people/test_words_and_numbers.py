"""Claims about the data tables: no assets, no renderer."""

from itertools import pairwise

import pytest

from training.people import expressions, lights, splits, wardrobe
from training.people.backgrounds import COLOUR_NAMES, PAINTERS, paint
from training.people.colours import CLOTH
from training.people.errors import InvalidRequest


def test_there_is_as_much_variety_as_promised() -> None:
    assert len(expressions.EXPRESSIONS) >= 12
    assert len(lights.LIGHTS) >= 10
    assert len(PAINTERS) >= 10
    assert len(wardrobe.outfits("woman")) >= 12
    assert len(wardrobe.outfits("man")) >= 12


def test_chances_name_what_exists_and_sum_to_one() -> None:
    assert set(expressions.CHANCES) == set(expressions.EXPRESSIONS)
    assert sum(expressions.CHANCES.values()) == pytest.approx(1)
    assert all(set(chances) <= set(wardrobe.HAIR) for chances in wardrobe.HAIR_CHANCES.values())
    assert set(wardrobe.BEARD_CHANCES) == set(wardrobe.BEARDS)
    assert set(COLOUR_NAMES) <= set(CLOTH)


@pytest.mark.parametrize("strength", [0.49, 1.01, float("nan"), -1.0])
def test_a_strength_out_of_range_is_refused_with_the_range(strength: float) -> None:
    with pytest.raises(InvalidRequest, match=r"from 0\.5 to 1\.0"):
        expressions.units_of("smile", strength)


def test_an_unknown_expression_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="choose one of: neutral, smile"):
        expressions.units_of("smirking", 0.8)


def test_shut_eyes_are_shut_at_any_strength() -> None:
    assert expressions.units_of("closed eyes", 0.5)["eyeBlinkLeft"] == 1.0
    assert expressions.units_of("smile", 0.5)["mouthSmileLeft"] == pytest.approx(0.36)


def test_the_winking_eye_is_the_viewers() -> None:
    """ARKit's Right is the person's right, which the viewer sees on the left."""
    assert "eyeBlinkRight" in expressions.units_of("wink left", 1.0)
    assert "eyeBlinkLeft" in expressions.units_of("wink right", 1.0)


def test_splits_do_not_overlap_and_the_test_split_is_large() -> None:
    ranges = sorted(splits.SPLITS.values(), key=lambda seeds: seeds.start)
    assert all(a.stop <= b.start for a, b in pairwise(ranges))
    assert len(splits.SPLITS["test"]) >= 500
    assert splits.split_of(0) == "train"
    assert splits.split_of(splits.SPLITS["sealed"].start) == "sealed"


@pytest.mark.parametrize("seed", [-1, splits.SPLITS["sealed"].stop])
def test_a_seed_in_no_split_is_refused(seed: int) -> None:
    with pytest.raises(InvalidRequest, match="must be from 0 to 1009999"):
        splits.split_of(seed)


@pytest.mark.parametrize("name", PAINTERS)
def test_a_background_is_the_same_picture_for_the_same_seed(name: str) -> None:
    light = lights.LIGHTS["studio"]
    first, again, other = (paint(name, "blue", seed, light, 256) for seed in (3, 3, 4))
    assert first.shape == (256, 256, 3)
    assert (first == again).all()
    assert (first != other).any()
    assert first.min() >= 0


def test_a_light_from_the_right_comes_from_the_right() -> None:
    window = lights.LIGHTS["window"]
    assert window.direction(1)[0] > 0 > window.direction(-1)[0]

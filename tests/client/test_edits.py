"""Changing a picture in one place: cut out and put back, relit, masked, described."""

from typing import Any

import numpy as np
import pytest
from omokage.blur import blurred
from omokage.captions import caption, lit, turned
from omokage.distance import FAR, away, reaching
from omokage.face_mask import BETWEEN_EYES, CHIN, below, hull
from omokage.frame import Frame, round_face
from omokage.pose import fitted, in_space, in_space_of
from omokage.samplers import INVERSE, SCHEDULES, TABLES, Schedule, advance, begin
from omokage.shading import light, relit, toned

DRAW = np.random.default_rng(0)


def photo(height: int = 90, width: int = 120) -> Any:
    return DRAW.integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize("frame", [Frame((10, 5), 64), Frame((-20, 40), 100), Frame((0, -15), 120)])
def test_what_lies_outside_the_mask_comes_back_to_the_byte(frame: Frame) -> None:
    picture = photo()
    square = frame.cut(picture, 64)
    other = np.bitwise_not(square)
    assert square.shape == (64, 64, 3)
    mask = np.zeros((64, 64), np.float32)
    mask[20:40, 20:40] = 1
    whole = frame.back(picture, other, mask)
    changed = (whole != picture).any(2)
    rows, columns = np.nonzero(changed)
    least = np.array(frame.corner)[::-1] + frame.side * 18 / 64
    assert changed.any()
    assert (np.array([rows.min(), columns.min()]) >= least - 1).all()
    np.testing.assert_array_equal(frame.back(picture, other, np.zeros_like(mask)), picture)


def test_the_square_round_a_face_is_where_poses_have_it() -> None:
    frame = round_face(np.array([40, 30, 20, 24], np.float32), 200, 150)
    assert frame.side == round(24 * 2.3)
    np.testing.assert_allclose(frame.places(np.array([[50, 42]], np.float32)), [[0.5, 0.5]], atol=0.02)


def test_means_over_squares_are_those_that_one_would_count() -> None:
    values = DRAW.random((9, 11)).astype(np.float32)
    found = blurred(values, 2)
    padded = np.pad(values, 2)
    wanted = [[padded[row : row + 5, column : column + 5].mean() for column in range(11)] for row in range(9)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("turn", [(20.0, 10.0, 5.0), (-30.0, -12.0, 8.0), (0.0, 0.0, -15.0)])
def test_a_turned_head_is_read_as_it_was_turned(turn: tuple[float, float, float]) -> None:
    shape = DRAW.normal(size=(468, 3)).astype(np.float32)
    seen = ((shape @ in_space(*turn).T)[:, :2] * 0.2 + 0.5).astype(np.float32)
    assert in_space_of(shape, seen) == pytest.approx(turn, abs=0.1)
    np.testing.assert_allclose(fitted(shape, seen), seen, atol=1e-3)
    smiling = shape + np.float32(0.1)
    moved = fitted(shape, seen, smiling)
    assert moved.shape == seen.shape
    assert not np.allclose(moved, seen, atol=1e-3)


def test_words_for_a_photo_say_what_is_to_be_seen_in_it() -> None:
    shape = DRAW.normal(size=(468, 3)).astype(np.float32)
    seen = ((shape @ in_space(-35, 0, 12).T)[:, :2] * 0.2 + 0.5).astype(np.float32)
    assert turned(shape, seen) == ["head turned far to the left", "head tilted to the right"]
    assert turned(shape, (shape[:, :2] * 0.2).astype(np.float32)) == ["facing the camera"]
    texture = np.full((3, 192, 192), 0.4, np.float32)
    assert lit(texture) == []
    texture[:, :, 96:] = 0.6
    assert lit(texture) == ["light from the right"]
    assert caption(shape, seen, texture).startswith("a portrait of a person, ")


def flat(lightness: int, side: int = 96) -> Any:
    return np.full((side, side, 3), lightness, np.uint8)


def ring(wide: float, high: float) -> Any:
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    return (0.5 + np.stack([wide * np.cos(angles), high * np.sin(angles)], 1)).astype(np.float32)


WHOLE = np.ones((96, 96), np.float32)


def in_light_of(face: Any, reference: Any, where: Any = WHOLE, skin: Any = WHOLE, share: float = 1.0) -> Any:
    return relit(face, light(face, reference, where), skin, share)


def test_a_face_takes_on_the_references_light_and_keeps_its_features() -> None:
    face, reference = flat(100), np.broadcast_to(np.linspace(150, 80, 96).astype(np.uint8)[None, :, None], (96, 96, 3))
    face[44:52, 30:34] = face[44:52, 62:66] = 20  # eyes
    made = in_light_of(face, reference)
    skin = (face == 100).all(2)
    assert np.abs(made.astype(int) - reference)[skin].mean() < np.abs(face.astype(int) - reference)[skin].mean() / 10
    assert made[48, 32].mean() < made[20, 32].mean() / 2, "what is fine stays"


@pytest.mark.parametrize("columns", [slice(24, 72), slice(0, 96)])
def test_of_a_beard_of_the_reference_little_counts_as_light(columns: slice) -> None:
    face, reference = flat(100), flat(120)
    reference[66:, columns] = 20
    made = in_light_of(face, reference, hull(ring(0.4, 0.4), 96).astype(np.float32))
    assert made[76, 48].mean() > 120 - (120 - 20) / 4


def test_a_shine_grows_less_than_the_skins_light() -> None:
    face = flat(48)
    face[40:44, 40:44] = 78
    made = in_light_of(face, flat(64)).astype(float)
    assert made[10, 10].mean() == pytest.approx(64, abs=2)
    assert 64 + 30 < made[42, 42].mean() < 64 + 36, "30 more on dark skin; 38 more if it grew as the skin's light does"


def test_of_another_tone_of_skin_a_part_is_taken_on_and_the_rest_is_told() -> None:
    face, near, far = flat(60), flat(72), flat(200)
    assert in_light_of(face, near)[5, 5].mean() == pytest.approx(72, abs=2), "a little light is taken on wholly"
    assert 72 < in_light_of(face, far)[5, 5].mean() < 130, "whose skin is darker stays so"
    found = light(face, far, WHOLE)
    neck = toned(far, WHOLE, found.taken_on - found.tone)
    assert np.abs(neck.astype(int) - in_light_of(face, far)).max() <= 2, "with the rest a neck has the head's tone"


def test_what_is_no_skin_does_not_take_on_a_tone_of_skin() -> None:
    face = flat(90)
    face[:30] = 160  # hair
    skin = WHOLE.copy()
    skin[:30] = 0
    made = in_light_of(face, flat(45), skin.copy(), skin).astype(float)
    assert made[5, 48].mean() / 160 > (made[60, 48].mean() / 90 + 1) / 2 - 0.05


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_of_a_share_of_the_light_every_place_takes_on_so_much(share: float) -> None:
    face, reference = flat(100), flat(120)
    made = in_light_of(face, reference, share=share).astype(float)
    assert np.abs(np.log((made + 12) / 112) - share * np.log(132 / 112)).max() < 0.01
    np.testing.assert_array_equal(in_light_of(face, reference, skin=0 * WHOLE, share=0.0), face)


def test_a_picture_is_toned_where_it_is_meant_and_nowhere_else() -> None:
    picture, where = photo(96, 96), np.zeros((96, 96), np.float32)
    where[30:60, 30:60] = 1
    made = toned(picture, where, np.full(3, 0.3))
    np.testing.assert_array_equal(made[where == 0], picture[where == 0])
    assert made[where > 0].mean() > 1.2 * picture[where > 0].mean()


def test_the_hull_of_a_face_is_drawn_to_the_pixel_and_may_be_grown() -> None:
    mask = hull(ring(0.2, 0.3), 100)
    assert mask[50, 50]
    assert mask[50, 68]
    assert not mask[50, 72]
    assert mask.sum() == pytest.approx(np.pi * 20 * 30, rel=0.02)
    assert hull(ring(0.2, 0.3), 100, 0.1).sum() == pytest.approx(np.pi * 22 * 33, rel=0.02)


def test_how_far_away_a_mask_is() -> None:
    mask = np.zeros((64, 64), bool)
    mask[20:24, 20:22] = True
    found = away(mask)
    assert found[mask].max() == 0
    rows, columns = np.nonzero(mask)
    wanted = np.hypot(*(np.indices((64, 64))[..., None] - np.stack([rows, columns])[:, None, None])).min(2)
    assert np.abs(found - wanted).max() < 2
    assert away(np.zeros((4, 4), bool)).min() == FAR


def test_what_hangs_together_is_found_round_corners() -> None:
    mask = np.zeros((8, 8), bool)
    mask[1, 1:7] = mask[1:7, 6] = mask[6, 2:7] = True
    mask[4, 1] = True
    start = np.zeros_like(mask)
    start[6, 2] = True
    found = reaching(mask, start)
    assert found[1, 1]
    assert not found[4, 1]
    assert not reaching(mask, np.zeros_like(mask)).any()


def test_what_is_lower_than_a_chin_is_told_along_a_face_that_leans() -> None:
    landmarks = np.full((468, 2), 0.5, np.float32)
    landmarks[[BETWEEN_EYES, *CHIN]] = [[0.3, 0.5], [0.7, 0.5]]  # leaning over by a quarter
    low = below(landmarks, CHIN, 100)
    assert low[50, 80] == pytest.approx(10.5)
    assert low[10, 20] == pytest.approx(-49.5)


def test_the_way_back_and_the_way_forth_meet() -> None:
    """Of a network that always knows the clean picture, inversion and DDIM are exact."""
    schedule, clean = Schedule(SCHEDULES["cosine"](), "v"), DRAW.normal(size=(1, 8, 4, 4)).astype(np.float32)

    def run(table: Any, start: Any) -> Any:
        state = begin(table, start)
        for step in table.steps:
            sample, (kept, told) = state[0], schedule.clean(step.timestep)
            state, _ = advance(step, state, ((clean - kept * sample) / told).astype(np.float32))
        return state[0]

    noise = run(TABLES[INVERSE](schedule, 20), clean)
    assert TABLES[INVERSE](schedule, 1).steps, "there is at least one step"
    np.testing.assert_allclose(run(TABLES["ddim"](schedule, 20), noise), clean, atol=1e-3)
    sample = schedule.wanted(400, clean, clean * 0.5)
    kept, told = schedule.clean(400)
    np.testing.assert_allclose(kept * clean + told * sample, clean * 0.5, atol=1e-5)

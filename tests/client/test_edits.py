"""Changing a picture in one place: cut out and put back, relit, masked, described."""

from typing import Any

import numpy as np
import pytest
from omokage.blur import blurred
from omokage.captions import caption, lit, turned
from omokage.face_mask import HAIRLINE, face_mask, in_both
from omokage.frame import Frame, round_face
from omokage.pose import fitted, in_space, in_space_of
from omokage.samplers import INVERSE, SCHEDULES, TABLES, Schedule, advance, begin
from omokage.shading import met, relit, shaded

from export.mean_face import OVAL, mean_face

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


def round_mask(size: int, radius: float) -> Any:
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    return face_mask((0.5 + radius * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.float32), size)


def test_a_face_takes_on_the_references_light_and_keeps_its_features() -> None:
    face, reference = flat(100), np.broadcast_to(np.linspace(180, 60, 96).astype(np.uint8)[None, :, None], (96, 96, 3))
    face[44:52, 30:34] = face[44:52, 62:66] = 20  # eyes
    made = relit(face, reference, np.ones((96, 96), np.float32))
    skin = (face == 100).all(2)
    assert np.abs(made.astype(int) - reference)[skin].mean() < np.abs(face.astype(int) - reference)[skin].mean() / 25
    assert made[48, 32].mean() < made[20, 32].mean() / 2, "what is fine stays"


@pytest.mark.parametrize("columns", [slice(24, 72), slice(0, 96)])
def test_of_a_beard_of_the_reference_little_counts_as_light(columns: slice) -> None:
    face, reference = flat(100), flat(150)
    reference[66:, columns] = 20
    made = relit(face, reference, round_mask(96, 0.4))
    assert made[76, 48].mean() > 150 - (150 - 20) / 4


def test_a_shine_grows_less_than_the_skins_light() -> None:
    face = flat(48)
    face[40:44, 40:44] = 78
    made = relit(face, flat(138), np.ones((96, 96), np.float32))
    assert made[10, 10].mean() == pytest.approx(138, abs=3)
    assert 138 + 30 < made[42, 42].mean() < 138 + 60, "30 more on dark skin; 75 more if it grew as the skin's light does"


def test_a_face_meets_what_is_round_it_and_stays_as_it_is_farther_in() -> None:
    mask = round_mask(128, 0.35)
    border = (mask > 0) & (mask < 1)
    face, reference = flat(100, 128), flat(120, 128)
    made = met(face, reference, mask)
    assert made[border].mean() > 115
    assert (made[64, 64] == 100).all()
    reference[:, 64:] = 250
    beard = met(face, reference, mask)[:, 96:][border[:, 96:]].mean()
    assert beard < 103, "what differs so much is something else"
    np.testing.assert_array_equal(met(face, reference, np.ones_like(mask)), face, "there is no border")


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_of_a_share_of_the_light_every_place_takes_on_so_much(share: float) -> None:
    mask, face, reference = round_mask(128, 0.35), flat(100, 128), flat(140, 128)
    made = shaded(face, reference, mask, share)
    assert np.abs(made[mask > 0].astype(float) - (100 + 40 * share)).max() <= 1.5
    np.testing.assert_array_equal(shaded(face, reference, np.zeros_like(mask), share), face, "no place tells of light")


def test_the_mask_of_a_face_is_its_hull_a_little_grown() -> None:
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    mask = face_mask(np.stack([0.5 + 0.2 * np.cos(angles), 0.5 + 0.3 * np.sin(angles)], 1).astype(np.float32), 100)
    assert mask[50, 50] == 1
    assert mask[50, 69] == 1
    assert mask[50, 74] == 0
    assert mask.sum() == pytest.approx(np.pi * 20 * 30 * 1.06**2, rel=0.03)


def test_a_face_is_pasted_where_both_faces_are() -> None:
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    wide, high = ((0.5 + np.stack([a * np.cos(angles), b * np.sin(angles)], 1)).astype(np.float32) for a, b in ((0.3, 0.2), (0.2, 0.3)))
    mask = in_both(wide, high, 100)
    assert mask[50, 50] == 1
    assert mask[50, 75] == mask[75, 50] == 0


def test_a_face_that_is_pasted_ends_below_the_hairline() -> None:
    highest = sorted(OVAL, key=mean_face()[:, 1].tolist().__getitem__)[: len(HAIRLINE)]
    assert set(highest) == set(HAIRLINE), "they are the upper end of a face's outline"
    landmarks = np.full((468, 2), 0.5, np.float32)
    landmarks[[127, 356, 152, 9]] = [[0.3, 0.5], [0.7, 0.5], [0.5, 0.8], [0.5, 0.4]]  # temples, chin, between the brows
    before = face_mask(landmarks, 100)
    landmarks[list(HAIRLINE)] = [0.5, 0.1]
    after = face_mask(landmarks, 100)
    np.testing.assert_array_equal(before, after)
    assert after[25].max() == 0


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

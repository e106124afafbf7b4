"""A body without its head, and another's head on it."""

from typing import Any

import numpy as np
import pytest
from omokage.body import without_head
from omokage.face_mask import BETWEEN_EYES, CHIN, EARS
from omokage.parsing import PARSED, Parsed, parsed
from omokage.systems.megaportrait import on_a_body, told_by

from export import families

SIZE = 128
NOBODY = np.zeros((SIZE, SIZE), np.float32)
COLOURS = {"background": -0.8, "skin": 0.2, "hair": 1.0, "clothes": 0.6}


def face() -> Any:
    """[468, 2]: points round a face in the middle, its jaw from row 64 on."""
    angles = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    points = np.stack([0.5 + 0.14 * np.cos(angles), 0.45 + 0.18 * np.sin(angles)], 1).astype(np.float32)
    points[[BETWEEN_EYES, *CHIN]] = [[0.5, 0.4], [0.5, 0.63]]
    points[list(EARS)] = [[0.37, 0.5], [0.63, 0.5]]
    return points


def somebody() -> tuple[Any, Parsed]:
    """([1, 3, 128, 128] a picture of even colours, what it shows): a face in hair that hangs to row 110, a neck, clothes below."""
    labels = np.zeros((SIZE, SIZE), int)
    labels[100:] = PARSED.index("clothes")
    labels[20:110, 36:92] = PARSED.index("hair")
    labels[36:82, 46:82] = PARSED.index("skin")
    labels[82:108, 54:74] = PARSED.index("skin")  # the neck
    values = np.array([COLOURS.get(name, 0) for name in PARSED], np.float32)
    picture = np.broadcast_to(values[labels], (1, 3, SIZE, SIZE)).copy()
    return picture, Parsed((labels == np.arange(len(PARSED))[:, None, None]).astype(np.float32))


def test_client_and_network_tell_the_same_things_apart() -> None:
    assert PARSED == families.PARSED


def test_shares_and_most_of_what_a_picture_shows() -> None:
    shares = np.zeros((1, 8, 4, 4), np.float32)
    shares[:, [1, 2]] = [[[[0.6]], [[0.4]]]]
    found = parsed(lambda name, given: {"parts": shares}, np.zeros((1, 3, 4, 4), np.float32))
    assert found.share("skin", "hair").min() == pytest.approx(1)
    assert found.most("skin").all()
    assert not found.most("hair", "hat").any()


def test_of_a_head_nothing_is_left_and_its_neck_clothes_and_surroundings_go_on() -> None:
    picture, shows = somebody()
    body = without_head(picture, shows, NOBODY, face())
    assert body.picture.max() < COLOURS["hair"] - 0.3, "no hair, neither above nor below"
    assert body.picture[0, 0, 24, 64] == pytest.approx(COLOURS["background"], abs=0.05)
    assert body.picture[0, 0, 90, 64] == pytest.approx(COLOURS["skin"], abs=0.05)
    assert body.picture[0, 0, 106, 38] == pytest.approx(COLOURS["clothes"], abs=0.1), "under hair that hangs over clothes"
    kept = body.anew == 0
    assert kept[:, :20].all()
    np.testing.assert_array_equal(body.picture[0, :, kept], picture[0, :, kept])


def test_what_only_the_mask_engine_calls_a_person_goes_too() -> None:
    picture, shows = somebody()
    person = NOBODY.copy()
    person[8:20, 40:90] = 1
    picture[..., 8:20, 40:90] = 0.9  # a feather
    assert without_head(picture, shows, NOBODY, face()).picture[0, 0, 9, 64] > 0.5
    assert without_head(picture, shows, person, face()).picture[0, 0, 9, 64] == pytest.approx(COLOURS["background"], abs=0.05)


def test_what_is_behind_goes_on_along_its_rows() -> None:
    picture, shows = somebody()
    shelves = np.where(np.arange(SIZE) // 8 % 2, -0.9, -0.5)[:, None]
    picture = np.where(shows.most("background")[None, None], shelves, picture).astype(np.float32)
    body = without_head(picture, shows, NOBODY, face())
    np.testing.assert_allclose(body.picture[0, 0, 24:56, 64], shelves[24:56, 0], atol=0.1)


def test_what_is_taken_for_a_head_far_from_the_face_stays() -> None:
    picture, shows = somebody()
    shares = shows.shares.copy()
    shares[:, 40:44, 120:124] = 0
    shares[PARSED.index("earring"), 40:44, 120:124] = 1
    body = without_head(picture, Parsed(shares), NOBODY, face())
    assert body.anew[36:48, 116:].max() == 0


def test_a_neck_is_skin_below_the_ears_and_fades() -> None:
    body = without_head(*somebody(), NOBODY, face())
    assert body.neck[84, 64] > 0.9
    assert 0 < body.neck[106, 64] < body.neck[84, 64]
    assert body.neck[:60].max() == 0
    assert body.neck[112:].max() == 0, "clothes"


def test_where_all_is_head_the_picture_stays() -> None:
    picture = np.full((1, 3, SIZE, SIZE), 0.5, np.float32)
    shares = np.zeros((8, SIZE, SIZE), np.float32)
    shares[PARSED.index("hair")] = 1
    body = without_head(picture, Parsed(shares), NOBODY, face())
    np.testing.assert_array_equal(body.picture, picture)
    assert body.neck.max() == 0


def test_a_head_that_fills_the_picture_is_not_filled_with_its_neck() -> None:
    picture, shows = somebody()
    shares = shows.shares.copy()
    shares[PARSED.index("hair")] += shares[PARSED.index("background")]
    shares[PARSED.index("background")] = 0
    body = without_head(picture, Parsed(shares), NOBODY, face())
    assert body.anew[:50].max() == 0


def test_of_a_face_behind_a_mask_no_neck_takes_its_tone() -> None:
    _, shows = somebody()
    everywhere = np.ones((SIZE, SIZE), bool)
    where, told = told_by(shows, shows, everywhere)
    assert told
    assert where[60, 64] == 1
    assert where[30, 40] == 0, "hair"
    covered = Parsed(np.roll(shows.shares, 4, 0))
    where, told = told_by(shows, covered, everywhere)
    assert not told
    assert where.min() == 1


def test_a_head_comes_without_its_clothes_and_with_little_of_its_neck() -> None:
    _, shows = somebody()
    matte = on_a_body(np.ones((SIZE, SIZE), np.float32), shows, face())
    assert matte[:60].min() == 1
    assert matte[112:].max() < 0.01, "clothes"
    assert matte[95, 40] > 0.99, "hair"
    assert matte[82, 64] > 0.9
    assert matte[104, 64] < 0.01, "the reference's neck"

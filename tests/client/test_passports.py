"""Passports: what goes in comes out, and nothing that was changed does."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omokage import InvalidRequest, Passport, Refused
from omokage.enrolment import Look, looked_at
from omokage.parsing import PARSED
from omokage.prior import Prior
from omokage.system import Face

SHAPES = {"identity": [128], "appearance": [98, 256], "shape": [468, 3], "texture": [3, 192, 192]}
GENERATOR = "0123456789ab"
DRAW = np.random.default_rng(0)


def floats(*shape: int) -> npt.NDArray[np.float32]:
    return DRAW.normal(size=shape).astype(np.float32)


def face() -> Face:
    identity = floats(1, 128)
    return Face(identity / np.linalg.norm(identity), floats(1, 98, 256), floats(1, 468, 3), np.abs(np.tanh(floats(1, 3, 192, 192))))


PASSPORT = Passport(family="mini", face=face(), name="Ada 面影", purposes=("kiosk", "wedding"), expires=datetime.date(2030, 5, 1))


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    PASSPORT.save(tmp_path / "ada.passport")
    found = Passport.load(tmp_path / "ada.passport")
    assert (found.family, found.name, found.purposes, found.expires) == ("mini", "Ada 面影", ("kiosk", "wedding"), datetime.date(2030, 5, 1))
    assert found.created == PASSPORT.created
    np.testing.assert_array_equal(found.face.identity, PASSPORT.face.identity)
    np.testing.assert_array_equal(found.face.appearance, PASSPORT.face.appearance)
    np.testing.assert_array_equal(found.face.shape, PASSPORT.face.shape)
    assert [path.name for path in tmp_path.iterdir()] == ["ada.passport"]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PASSPORT.to_bytes()) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(place: int, change: int) -> None:
    data = bytearray(PASSPORT.to_bytes())
    data[place] ^= change
    with pytest.raises(InvalidRequest, match="passport"):
        Passport.from_bytes(bytes(data))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(PASSPORT.to_bytes()) - 1))
def test_no_cut_goes_unseen(length: int) -> None:
    with pytest.raises(InvalidRequest, match="passport"):
        Passport.from_bytes(PASSPORT.to_bytes()[:length])


def test_a_passport_is_for_its_family_and_its_time() -> None:
    assert PASSPORT.checked("mini", datetime.date(2030, 5, 1), SHAPES, GENERATOR) is PASSPORT.face
    with pytest.raises(InvalidRequest, match="is of the family 'mini', this server's is 'sd15'"):
        PASSPORT.checked("sd15", datetime.date(2030, 5, 1), SHAPES, GENERATOR)
    with pytest.raises(Refused, match="consent ended on 2030-05-01"):
        PASSPORT.checked("mini", datetime.date(2030, 5, 2), SHAPES, GENERATOR)


def test_a_prior_is_for_the_generator_that_it_was_learned_by() -> None:
    prior = Prior(floats(1, 3, 8), floats(1, 6, 4), floats(1, 4, 8), floats(1, 16, 8))
    shapes = SHAPES | {name: list(value.shape[1:]) for name, value in vars(prior).items()}
    known = Passport.from_bytes(replace(PASSPORT, prior=prior, generator=GENERATOR).to_bytes())
    assert known.checked("mini", datetime.date(2030, 5, 1), shapes, GENERATOR) is known.face
    with pytest.raises(InvalidRequest, match=r"was learned by the generator '0123456789ab', this server's is 'another'.*learn it anew"):
        known.checked("mini", datetime.date(2030, 5, 1), shapes, "another")


def near(one: Face, spread: float) -> Face:
    """Another look of the same person."""
    identity = one.identity + spread * face().identity
    return Face(identity / np.linalg.norm(identity), floats(1, 98, 256), floats(1, 468, 3), np.abs(np.tanh(floats(1, 3, 192, 192))))


def seen_as(*faces: Face, qualities: tuple[float, ...] = ()) -> Any:
    """What looks at photos b"0", b"1", … and sees these faces."""
    return lambda photo: Look(faces[int(photo)], qualities[int(photo)] if qualities else 1.0, (f"note on {photo.decode()}",))


def nothing_worn(model: str, given: Any) -> Any:
    """`face_parsing`, of whatever it is given."""
    assert model == "face_parsing"
    return {"parts": np.eye(8, dtype=np.float32)[PARSED.index("skin")].reshape(1, 8, 1, 1) * np.ones_like(given["picture"][:, :1])}


def test_several_photos_make_one_face_by_their_quality() -> None:
    person = face()
    faces = [near(person, 0.5) for _ in range(3)]
    found, notes = looked_at(nothing_worn, [b"0", b"1", b"2"], seen_as(*faces, qualities=(1.0, 1.0, 0.5)))
    assert float(np.linalg.norm(found.identity)) == pytest.approx(1)
    np.testing.assert_allclose(found.appearance, (faces[0].appearance + faces[1].appearance + faces[2].appearance / 2) / 2.5, atol=1e-6)
    assert notes == ("photo 1: note on 0", "photo 2: note on 1", "photo 3: note on 2")


def test_more_photos_come_nearer_to_the_person() -> None:
    person = face()
    shots = [near(person, 0.8) for _ in range(9)]
    alike = [float((looked_at(nothing_worn, [b"%d" % k for k in range(n)], seen_as(*shots))[0].identity * person.identity).sum()) for n in (1, 3, 9)]
    assert alike[0] < alike[1] < alike[2]


def test_one_photo_is_taken_as_it_is() -> None:
    only = face()
    assert looked_at(nothing_worn, b"0", seen_as(only)) == (only, ("note on 0",))


def test_the_same_photo_twice_counts_once_and_is_told() -> None:
    one, other = (near(PASSPORT.face, 0.4) for _ in range(2))
    found, notes = looked_at(nothing_worn, [b"0", b"1", b"0"], seen_as(one, other))
    np.testing.assert_allclose(found.appearance, (one.appearance + other.appearance) / 2, atol=1e-6)
    assert notes[-1] == "photo 3 is there twice and counts once"


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("aba", "photo 2 shows another person than the rest of the 3"),
        ("ab", "photo 1 shows another person"),
        ("aabab", "photo 3 and photo 5 show another person"),
    ],
)
def test_photos_of_different_people_are_refused_by_their_numbers(who: str, says: str) -> None:
    people = {"a": face(), "b": face()}
    with pytest.raises(InvalidRequest, match=f"{says}.*leave out"):
        looked_at(nothing_worn, [b"%d" % k for k in range(len(who))], seen_as(*(near(people[letter], 0.3) for letter in who)))


@pytest.mark.parametrize("count", [0, 13])
def test_no_photo_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(InvalidRequest, match=f"{count} photos were given; give 1 to 12"):
        looked_at(nothing_worn, [b"%d" % k for k in range(count)], seen_as())

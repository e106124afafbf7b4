"""Passports: what goes in comes out, and nothing that was changed does."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omokage import InvalidRequest, Passport, Refused
from omokage.enrolment import together
from omokage.systems.base import Face

SHAPES = {"identity": [128], "appearance": [49, 256]}
DRAW = np.random.default_rng(0)


def face() -> Face:
    identity = DRAW.normal(size=(1, 128)).astype(np.float32)
    return Face(identity / np.linalg.norm(identity), DRAW.normal(size=(1, 49, 256)).astype(np.float32))


PASSPORT = Passport(family="mini", face=face(), name="Ada 面影", purposes=("kiosk", "wedding"), expires=datetime.date(2030, 5, 1))


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    PASSPORT.save(tmp_path / "ada.passport")
    found = Passport.load(tmp_path / "ada.passport")
    assert (found.family, found.name, found.purposes, found.expires) == ("mini", "Ada 面影", ("kiosk", "wedding"), datetime.date(2030, 5, 1))
    assert found.created == PASSPORT.created
    np.testing.assert_array_equal(found.face.identity, PASSPORT.face.identity)
    np.testing.assert_array_equal(found.face.appearance, PASSPORT.face.appearance)
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
    assert PASSPORT.checked("mini", datetime.date(2030, 5, 1), SHAPES) is PASSPORT.face
    with pytest.raises(InvalidRequest, match="is of the family 'mini', this server's is 'sd15'"):
        PASSPORT.checked("sd15", datetime.date(2030, 5, 1), SHAPES)
    with pytest.raises(Refused, match="consent ended on 2030-05-01"):
        PASSPORT.checked("mini", datetime.date(2030, 5, 2), SHAPES)


def test_several_photos_make_one_face() -> None:
    faces = [face() for _ in range(3)]
    found = together(faces)
    assert float(np.linalg.norm(found.identity)) == pytest.approx(1)
    assert all(float((found.identity * one.identity).sum()) > 0.3 for one in faces)
    np.testing.assert_allclose(found.appearance, sum(one.appearance for one in faces) / 3, atol=1e-6)
    assert together(faces[:1]) is faces[0]

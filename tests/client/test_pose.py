"""A head that is turned without a second photo, or as another in a photo: where its points go."""

from typing import Any

import numpy as np
import pytest
from omokage.errors import InvalidRequest
from omokage.passport import Passport
from omokage.portrait import Order, checked
from omokage.pose import EYES, EYES_APART, MIDDLE, MOUTH, NOSE, fitted, five, turned
from omokage.surface import CHIN, FOREHEAD, from_the_front
from omokage.system import TURNS, Face
from omokage.systems import SYSTEMS

FIVE = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0.02, 0.55, -0.65], [-0.42, 1, -0.12], [0.44, 1.02, -0.12]], np.float32)
"""Eyes, nose, mouth corners of a head that is not quite even."""


def face(five_points: Any) -> Any:
    """A surface [468, 3] with these five points, forehead and chin; the others lie on a bowl."""
    marks = np.random.default_rng(0).uniform(-1, 1, (468, 3)) * [1, 1.5, 0]
    marks[:, 2] = (marks**2).sum(1) / 2
    for (outer, inner), eye, sign in zip(EYES, five_points[:2], (-1, 1), strict=True):
        marks[outer], marks[inner] = (eye + np.array([way, 0, 0]) for way in (sign * 0.2, -sign * 0.2))
    marks[NOSE], marks[list(MOUTH)] = five_points[2], five_points[3:]
    marks[FOREHEAD], marks[CHIN] = (0, -1.2, 0), (0, 1.7, 0)
    return marks


SHAPE = face(FIVE)


def eyes_apart(points: Any) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def test_a_head_that_is_not_turned_lies_where_heads_lie_in_portraits() -> None:
    points = five(turned(SHAPE, 0, 0, 0))
    assert eyes_apart(points) == pytest.approx(EYES_APART)
    np.testing.assert_allclose(points.mean(0), MIDDLE, atol=1e-6)


def test_the_nose_shows_where_the_head_turns_to() -> None:
    def nose(**angles: float) -> Any:
        points = five(turned(SHAPE, **({"yaw": 0.0, "pitch": 0.0, "roll": 0.0} | angles)))
        return points[2] - points[:2].mean(0)

    straight = nose()
    assert nose(yaw=30)[0] > straight[0] + 0.05
    assert nose(yaw=-30)[0] < straight[0] - 0.05
    assert nose(pitch=20)[1] < straight[1] - 0.02
    assert nose(pitch=-20)[1] > straight[1] + 0.02


def test_a_turned_head_is_narrower_and_a_leaning_one_is_only_leant() -> None:
    assert eyes_apart(five(turned(SHAPE, 40, 0, 0))) < 0.9 * EYES_APART
    leant = five(turned(SHAPE, 0, 0, 15))
    assert eyes_apart(leant) == pytest.approx(EYES_APART)
    assert leant[1, 1] - leant[0, 1] == pytest.approx(EYES_APART * np.sin(np.radians(15)), abs=1e-6), "the viewer's right eye is lower"


@pytest.mark.parametrize("angles", [(0, 0), (30, 0), (-40, 15), (10, -20)])
def test_from_any_side_a_head_has_the_same_shape_from_the_front(angles: tuple[float, float]) -> None:
    marks = face(FIVE + np.array([[0, 0, 0]] * 3 + [[0.01, 0.01, 0], [-0.01, -0.01, 0]]))
    level = from_the_front(marks)
    np.testing.assert_allclose(from_the_front(marks @ spun(*angles).T * 37 + [96, 90, 3]), level, atol=1e-5)
    assert np.linalg.norm(five(level)[1] - five(level)[0]) == pytest.approx(1, abs=1e-5)


def spun(yaw: float, pitch: float) -> Any:
    """[3, 3] of a head turned by degrees."""
    yaw, pitch = np.radians([yaw, pitch])
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    rise = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    return turn @ rise


@pytest.mark.parametrize("angles", [(0, 0), (30, 0), (-40, 15), (10, -20)])
def test_a_face_lies_on_its_own_points_wherever_they_are_seen(angles: tuple[float, float]) -> None:
    seen = (SHAPE @ spun(*angles).T)[:, :2] * 0.17 + [0.4, 0.6]
    np.testing.assert_allclose(fitted(SHAPE, seen), seen, atol=1e-6)


def test_on_somebody_elses_points_a_face_keeps_its_own_shape() -> None:
    """A head that is wider by a fifth: in its pose the face is turned and as large, but not wider."""
    wider = (SHAPE * [1.2, 1, 1]) @ spun(20, 5).T
    found = fitted(SHAPE, wider[:, :2])
    own = (SHAPE @ spun(20, 5).T)[:, :2]
    size = np.linalg.norm(found - found.mean(0)) / np.linalg.norm(own - own.mean(0))
    assert 1 < size < 1.2
    np.testing.assert_allclose(found - found.mean(0), (own - own.mean(0)) * size, atol=0.12)


def order(**knobs: object) -> Order:
    face = Face(
        np.zeros((1, 128), np.float32), np.zeros((1, 98, 256), np.float32), SHAPE[None].astype(np.float32), np.zeros((1, 3, 192, 192), np.float32)
    )
    return Order(words="a portrait", passport=Passport(family="mini", face=face), knobs=knobs, pictures={"pose": b"a photo"})


@pytest.mark.parametrize("system", ["face0", "face-makeup", "crossfaceid"])
def test_a_pose_picture_and_a_turn_are_not_both_taken(system: str) -> None:
    with pytest.raises(InvalidRequest, match="a pose picture and yaw, roll were given; give the one or the other"):
        checked(SYSTEMS[system], order(yaw=0, roll=3.5))
    assert checked(SYSTEMS[system], order())["yaw"] == 0


def test_an_angle_in_words_turns_the_head_as_well_and_the_knobs_add_to_it() -> None:
    def turned_by(**knobs: object) -> Any:
        settled = SYSTEMS["crossfaceid"].turns
        assert settled is not None
        return settled(checked(SYSTEMS["crossfaceid"], Order(words="x", character=1, knobs=knobs)))

    assert turned_by() == (0, 0, 0)
    assert turned_by(angle="left")[0] < 0 < turned_by(angle="right")[0]
    assert turned_by(angle="far left")[0] < turned_by(angle="left")[0]
    assert turned_by(angle="up", yaw=10, roll=3) == (10, turned_by(angle="up")[1], 3)
    with pytest.raises(InvalidRequest, match="yaw is -70 with the angle 'far left', which it is added to; together they must be from -45 to 45"):
        turned_by(angle="far left", yaw=-35)


@pytest.mark.parametrize("knob", TURNS, ids=lambda knob: knob.name)
def test_an_angle_out_of_reach_is_refused(knob: Any) -> None:
    with pytest.raises(InvalidRequest, match=rf"{knob.name} is 46; {knob.name} must be a number from -"):
        checked(SYSTEMS["crossfaceid"], order(**{knob.name: 46}))

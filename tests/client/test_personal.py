"""Learning a person: the way of the gradient is the chain rule's, what is stopped goes on to the same end, and nothing is learned of too little."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omokage import InvalidRequest, Passport, personal
from omokage.learning import Learning, taken_up
from omokage.lessons import Lesson
from omokage.prior import Prior, begun, shapes
from omokage.samplers import SCHEDULES, Schedule
from omokage.system import Arrays, Words

from tests.client.test_passports import PASSPORT

ABOUT = {"text_width": 6, "kv_width": 10, "face_tokens": 4, "generator": "0123456789ab"}
DRAW = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    return DRAW.normal(size=shape).astype(np.float32)


def lesson(number: int) -> Lesson:
    mask = np.ones((1, 7), np.float32)
    mask[:, 4 + number :] = 0
    words = Words(floats(1, 7, 6), mask, floats(1, 7, 10))
    return Lesson(
        floats(1, 2, 4, 4), words, floats(1, 3, 8, 8), floats(3, 2, 4, 4), np.full((3, 1, 4, 4), 0.5, np.float32), np.ones((1, 1, 4, 4), np.float32)
    )


SCHOOL = personal.School([lesson(number) for number in range(3)], floats(1, 4, 10), floats(1, 4, 5), Schedule(SCHEDULES["cosine"](), "v"), steps=12)
WANTED = floats(7, 10), floats(4, 10)


def engines(model: str, given: Arrays) -> Arrays:
    """The loss of keys and values is their distance from some."""
    if model == "controlnet_pose":
        return {"control_0": np.zeros((4, 1), np.float32)}
    text, face = given["text_kv"] - WANTED[0], given["id_kv"] - WANTED[1]
    loss = ((text**2).sum((1, 2)) + (face**2).sum((1, 2))) / 2
    return {"loss": loss.astype(np.float32), "text_gradient": text, "id_gradient": face}


def test_one_that_is_begun_changes_nothing() -> None:
    prior, words = begun(ABOUT), SCHOOL.lessons[0].words
    assert {name: value.shape[1:] for name, value in vars(prior).items()} == shapes(ABOUT)
    np.testing.assert_array_equal(prior.said(words, 1.0), words.text_kv)
    np.testing.assert_array_equal(prior.seen(SCHOOL.id_kv, 1.0), SCHOOL.id_kv)


def test_half_of_what_was_learned_is_half_of_the_change() -> None:
    prior, words = Prior.of({name: floats(1, *shape) for name, shape in shapes(ABOUT).items()}), SCHOOL.lessons[0].words
    whole, half = (prior.said(words, scale) - words.text_kv for scale in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, rtol=1e-4, atol=1e-6)
    assert not whole[:, 4:-3].any(), "where there is no word nothing is said but in the person's own places"
    np.testing.assert_allclose(whole[:, -3:], prior.token_kv, rtol=1e-5)


@pytest.mark.parametrize("part", ["token_kv", "down", "up", "face_kv"])
def test_the_gradient_is_the_slope(part: str) -> None:
    prior, which, said = Prior.of({name: floats(1, *shape) for name, shape in shapes(ABOUT).items()}), [0, 1, 2, 0], [True, True, True, False]
    lessons = [SCHOOL.lessons[place] for place in which]

    def spoken(number: int, one: Prior) -> Any:
        words = lessons[number].words
        return one.said(words if said[number] else Words(words.states, np.zeros_like(words.mask), np.zeros_like(words.text_kv)), 1.0)

    def found(one: Prior) -> Arrays:
        given = {"text_kv": np.concatenate([spoken(k, one) for k in range(4)]), "id_kv": np.repeat(one.seen(SCHOOL.id_kv, 1.0), 4, 0)}
        return engines("unet_gradient", given)

    slope = getattr(personal._by_prior(prior, lessons, found(prior), said), part)
    way = floats(*slope.shape)
    ends = [float(found(replace(prior, **{part: getattr(prior, part) + sign * 1e-2 * way}))["loss"].astype(np.float64).sum()) for sign in (1, -1)]
    assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(float((slope * way).sum()), rel=2e-2)


def test_the_loss_falls() -> None:
    def loss(prior: Prior) -> float:
        text = np.concatenate([prior.said(one.words, 1.0) for one in SCHOOL.lessons])
        return float(engines("unet_gradient", {"text_kv": text, "id_kv": np.repeat(prior.seen(SCHOOL.id_kv, 1.0), 3, 0)})["loss"].mean())

    told: list[int] = []
    found = personal.learned(engines, ABOUT, replace(SCHOOL, steps=150), [b"photo"], None, lambda step, *_: told.append(step))
    assert told == list(range(1, 151))
    assert loss(found) < loss(begun(ABOUT)) - 1


class Stopped(Exception):
    pass


def stopping(after: int) -> Callable[[int, int, float], None]:
    def watch(step: int, steps: int, loss: float) -> None:
        if step == after:
            raise Stopped

    return watch


def test_who_is_stopped_goes_on_to_the_same_end(tmp_path: Path) -> None:
    photos, keep = [b"one", b"two"], tmp_path / "ada.passport.learning"
    whole = personal.learned(engines, ABOUT, SCHOOL, photos, None, lambda *_: None)
    with pytest.raises(Stopped):
        personal.learned(engines, ABOUT, SCHOOL, photos, keep, stopping(5))
    assert keep.exists()
    steps: list[int] = []
    again = personal.learned(engines, ABOUT, SCHOOL, photos, keep, lambda step, *_: steps.append(step))
    assert steps == list(range(6, 13)), "it goes on where it was stopped"
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert not keep.exists()


def test_what_is_kept_of_other_photos_or_damaged_is_not_gone_on_from(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    Learning.begin(begun(ABOUT)).save(keep, "these photos")
    found = taken_up(keep, "these photos")
    assert found is not None
    assert found.step == 0
    assert taken_up(keep, "others") is None
    keep.write_bytes(keep.read_bytes()[:40])
    assert taken_up(keep, "these photos") is None
    assert taken_up(tmp_path / "nothing", "these photos") is None
    with pytest.raises(InvalidRequest, match="keeps what was begun with other photos, steps or weights, or is damaged; remove it"):
        personal.learned(engines, ABOUT, SCHOOL, [b"one"], keep, lambda *_: None)
    assert keep.exists(), "nothing of it is lost"


@pytest.mark.parametrize(
    ("photos", "told"),
    [
        ([b"a"], "with 1 photo; give 3 to 5 different ones"),
        ([b"a", b"b", b"a"], "with 2 photos, 3 with those that are there twice; give 3 to 5"),
        ([bytes([number]) for number in range(30)], "with 30 photos; give 3 to 5"),
    ],
)
def test_too_few_or_too_many_photos_are_refused(photos: list[bytes], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        personal.enough(photos)
    assert personal.enough([b"a", b"b", b"a", b"c"]) == [b"a", b"b", b"c"]


def test_a_passport_brings_it_along_and_says_so() -> None:
    prior = Prior.of({name: floats(1, *shape) for name, shape in shapes(ABOUT).items()})
    data = replace(PASSPORT, prior=prior).to_bytes()
    found = Passport.from_bytes(data).prior
    assert found is not None
    for name, value in vars(prior).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    assert b"omokage-passport/5" in data
    assert Passport.from_bytes(PASSPORT.to_bytes()).prior is None
    broken = data.replace(b"omokage-passport/5", b"omokage-passport/4")
    with pytest.raises(InvalidRequest, match="damaged"):
        Passport.from_bytes(broken)

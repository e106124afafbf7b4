"""What was asked is seen, and what was not asked is not: on features and pictures whose truth is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from omokage import expression_reader, faces
from omokage.faces import TEMPLATE, Face, Image
from omokage.texture import WHOLE_HEAD_TEMPLATE
from safetensors.torch import load_file

from measure import attributes, expressions
from measure.following import ATTRIBUTES, EXPRESSIONS, in_the_mean, loss_error, wishes
from measure.learn import recalls
from measure.reader import Lessons, Reader, evenly
from training.people import lights
from training.people.person import person
from training.people.shot import change, shot

POINTS = 468


def surface(*, mouth: float = 0.02, eyes: float = 0.3, brows: float = 0.45, corners: float = 0.0) -> expression_reader.Floats:
    """A face of the points that are looked at, in eye distances; y grows downwards."""
    marks = np.zeros((POINTS, 3))
    for side, (eye, brow) in zip((-1, 1), zip(expression_reader.EYES, expression_reader.BROWS, strict=True), strict=True):
        outer, inner, upper, lower = eye
        marks[outer], marks[inner] = (side * 0.7, 0, 0), (side * 0.3, 0, 0)
        marks[upper], marks[lower] = (side * 0.5, -eyes * 0.2, 0), (side * 0.5, eyes * 0.2, 0)
        marks[list(brow)] = (side * 0.5, -brows, 0)
    marks[61], marks[291] = (-0.4, 1.0 - corners, 0), (0.4, 1.0 - corners, 0)
    marks[13], marks[14], marks[0], marks[17] = (0, 1 - mouth / 2, 0), (0, 1 + mouth / 2, 0), (0, 0.9 - mouth / 2, 0), (0, 1.1 + mouth / 2, 0)
    marks[2], marks[152], marks[10] = (0, 0.6, -0.3), (0, 1.6 + mouth, 0), (0, -1.2, 0)
    return marks


@pytest.mark.parametrize("moved", ["mouth", "eyes", "brows", "corners"])
def test_what_moves_in_a_face_is_learned_and_seen_on_other_faces(moved: str) -> None:
    draw = np.random.default_rng(0)
    ranges = {"mouth": (0.0, 0.5), "eyes": (0.02, 0.5), "brows": (0.35, 0.7), "corners": (-0.1, 0.25)}
    low, high = ranges[moved]

    def faces(count: int) -> tuple[expression_reader.Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        values = {name: draw.uniform(*limits, count) for name, limits in ranges.items()}
        rows = [surface(**{name: float(numbers[k]) for name, numbers in values.items()}) + draw.normal(0, 0.01, (POINTS, 3)) for k in range(count)]
        return np.stack([expression_reader.features(row) for row in rows]), values[moved] > (low + high) / 2

    known = expressions.fitted(*faces(400))
    given, shown = faces(200)
    read = np.array([expression_reader.shows(known, one) for one in given])
    assert (read == shown).mean() > 0.9


def bright_quarter(draw: np.random.Generator, kind: int) -> Image:
    """[96, 96, 3], its quarter 0..3 bright. Not another shade of grey for each kind: the reader's normalisation takes brightness away."""
    picture = np.full((96, 96, 3), 60.0)
    top, left = 48 * (kind // 2), 48 * (kind % 2)
    picture[top : top + 48, left : left + 48] = 190
    return np.clip(draw.normal(picture, 10), 0, 255).astype(np.uint8)


def test_the_head_that_is_looked_at_is_whole_and_where_no_face_is_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture whose face lies at the left: what is cut out has the five points where textures' heads have them, cut closer."""
    points = TEMPLATE * 0.5 + [20, 90]
    monkeypatch.setattr(faces, "found", lambda picture, detect: [Face(np.zeros(4, np.float32), points.astype(np.float32), 1.0)])
    picture = np.zeros((256, 256, 3), np.uint8)
    for x, y in points:
        cv2.circle(picture, (round(float(x)), round(float(y))), 2, (255, 0, 0), -1)
    head = attributes.viewed(lambda name, given: {}, picture).head
    assert head is not None
    assert head.shape == (96, 96, 3)
    left, top, side = attributes.CLOSER
    for x, y in (WHOLE_HEAD_TEMPLATE - [left, top]) * (96 / side):
        assert head[round(float(y)), round(float(x)), 0] > 100
    assert head[..., 1:].max() == 0
    monkeypatch.setattr(faces, "found", lambda picture, detect: [])
    assert attributes.viewed(lambda name, given: {}, picture).head is None


def test_one_reader_learns_and_the_other_stays(tmp_path: Path) -> None:
    path = tmp_path / "readers.safetensors"
    attributes.save({name: Reader(kinds) for name, kinds in attributes.READ.items()}, path)
    before = load_file(path)
    attributes.save(attributes.learned(path) | {"head": Reader(attributes.READ["head"])}, path)
    after = load_file(path)
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert all(name in same for name in before if name.startswith("picture."))
    assert not all(name in same for name in before if name.startswith("head."))


@pytest.mark.slow
def test_the_readers_learn_what_they_are_shown_and_are_kept_in_their_file(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    names, views, truths = attributes.READ["picture"]["background"], [], []
    for k in range(128):
        picture, head = bright_quarter(draw, k % 4), bright_quarter(draw, k // 4 % 4)
        views.append(attributes.View(picture, None if k == 5 else head))
        truths.append({"background": names[k % 4], "light side": "none", "glasses": "none", "hat": ("none", "hat")[k // 4 % 4 // 2]})
    torch.set_num_threads(1)
    path, lessons = tmp_path / "readers.safetensors", {"picture": Lessons(25, 32), "head": Lessons(25, 32, mirrored=True, paler=0.5)}
    attributes.save({name: attributes.learned_from(views, truths, name, lessons) for name in attributes.READ}, path)
    said = attributes.seen(attributes.learned(path), views)
    assert np.mean([one["background"] == other["background"] for one, other in zip(said, truths, strict=True)]) > 0.9
    assert np.mean([one["hat"] == other["hat"] for one, other in zip(said, truths, strict=True)]) > 0.9
    assert all(one["glasses"] == "none" for one in said)
    views = [attributes.View(view.picture, None) for view in views]
    assert all(one["hat"] == "none" for one in attributes.seen(attributes.learned(path), views)), "where there is no head nothing is worn"


def test_rare_kinds_count_as_much_as_others_and_each_is_told_how_well_it_is_seen() -> None:
    weights = evenly(torch.tensor([0] * 90 + [2] * 10), 3)
    assert 90 * weights[0] == pytest.approx(10 * weights[2].item())
    said, true = ["none", "hat", "none", "none"], ["none", "none", "hat", "none"]
    assert recalls(("none", "hat", "wig"), said, true) == {"none": pytest.approx(0.6667), "hat": 0.0}


@pytest.mark.assets
def test_the_truth_of_a_picture_is_what_its_words_say() -> None:
    who = person(3)
    plain = change(shot(who, 0), glasses="", hat="", light="flat")
    side = change(plain, light="side", light_side=-1, glasses="sunglasses", hat="beanie")
    records = [{"shot": vars(one)} for one in (plain, side)]
    found = [attributes.truth(record) for record in records]
    assert found[0] == {"background": plain.background, "light side": "none", "glasses": "none", "hat": "none"}
    assert found[1] == {"background": plain.background, "light side": "left", "glasses": "sunglasses", "hat": "hat"}
    assert lights.LIGHTS["side"].azimuth > 0


def test_every_wish_can_be_seen_by_what_judges_it() -> None:
    asked, kinds = wishes(7, 5), attributes.READ["picture"] | attributes.READ["head"]  # type: ignore[operator]
    assert len(asked) == 7 * len(EXPRESSIONS) + 5 * len(ATTRIBUTES)
    assert set(EXPRESSIONS) == set(expressions.SHOWS)
    for wish in asked:
        assert wish.kind in (kinds[wish.about] if wish.about in ATTRIBUTES else expressions.SHOWS)
    assert {wish.kind for wish in asked if wish.about == "light side"} == {"left", "right"}


def test_following_is_the_mean_over_the_things_however_often_each_was_asked() -> None:
    asked = wishes(2, 1)
    found = in_the_mean(asked, [wish.about == "smile" or (wish.about, wish.number) == ("open mouth", 0) for wish in asked])
    assert found["expression_following"] == pytest.approx((1 + 0.5) / 4)
    assert found["words_following"] == 0
    assert found["following"]["open mouth"] == 0.5


def test_the_standard_error_of_a_loss_is_of_pairs_of_portraits_and_expressions_only() -> None:
    asked = wishes(25, 4)
    best = [wish.number % 2 == 0 for wish in asked]
    assert loss_error(asked, best, best) == 0, "who follows and fails alike differs by nothing"
    less = [right and not (wish.about == "smile" and wish.number < 10) for wish, right in zip(asked, best, strict=True)]
    assert loss_error(asked, less, best) == pytest.approx(0.25 * (0.2 * 0.8 / 24) ** 0.5, abs=1e-4)
    others = [right or wish.about == "hat" for wish, right in zip(asked, best, strict=True)]
    assert loss_error(asked, others, best) == 0


def test_wishes_that_fail_together_for_one_person_count_once() -> None:
    asked = wishes(25, 4)
    best = [True] * len(asked)
    together = [wish.number != 0 for wish in asked]
    assert loss_error(asked, together, best) == pytest.approx((0.04 * 0.96 / 24) ** 0.5, abs=1e-4)

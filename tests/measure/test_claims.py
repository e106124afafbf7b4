"""A claim holds only where the numbers say so, and the page says what was measured."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from measure import claims, report
from measure.evaluate import QUICK, changed
from measure.fairness import by_axis
from measure.graded import apart
from measure.people import Shown, Sitter

SHARES = (0.0, 0.5, 1.0)


def test_mixing_holds_only_where_every_step_goes_the_right_way() -> None:
    steady = [[(0.9, 0.1), (0.5, 0.5), (0.1, 0.9)], [(0.8, 0.2), (0.6, 0.3), (0.2, 0.7)]]
    found = claims.mixing(steady, SHARES)
    assert found["holds"]
    assert found["to_first"] == pytest.approx([0.85, 0.55, 0.15])
    back = [[(0.9, 0.1), (0.95, 0.5), (0.1, 0.9)]]
    assert not claims.mixing(back, SHARES)["holds"]


def numbers(likeness: float, words: float, top1: float = 0.5) -> dict[str, float]:
    return {"likeness": likeness, "words_following": words, "top1": top1}


def test_the_most_likeness_must_cost_words() -> None:
    assert claims.most_likeness({"face-makeup": numbers(0.8, 0.4), "crossfaceid": numbers(0.7, 0.6)})["holds"]
    assert not claims.most_likeness({"face-makeup": numbers(0.8, 0.7), "crossfaceid": numbers(0.7, 0.6)})["holds"]
    assert not claims.most_likeness({"face-makeup": numbers(0.6, 0.4), "crossfaceid": numbers(0.7, 0.6)})["holds"]


def test_more_photos_must_help_every_time() -> None:
    none = {1: 0, 3: 0, 5: 1}
    found = claims.more_photos({1: 0.5, 3: 0.6, 5: 0.7}, none)
    assert found["holds"]
    assert found["refused"]["5"] == 1
    assert not claims.more_photos({1: 0.5, 3: 0.6, 5: 0.6}, none)["holds"]


def test_pairs_must_follow_clearly_better_and_be_as_like() -> None:
    one = {"expression_following": 0.6, "likeness": 0.5, "likeness_conditioned": 0.4}
    assert claims.pairs(one, one | {"expression_following": 0.5}, 0.04)["holds"]
    assert not claims.pairs(one, one | {"expression_following": 0.5}, 0.06)["holds"], "less than two standard errors may be chance"
    assert not claims.pairs(one, one, 0.0)["holds"]
    assert claims.pairs(one, one | {"expression_following": 0.5, "likeness": 0.54}, 0.04)["holds"]
    assert not claims.pairs(one, one | {"expression_following": 0.5, "likeness": 0.56}, 0.04)["holds"], "less likeness is no equal likeness"


def test_a_preset_passes_only_if_it_loses_little_of_anything() -> None:
    usual = {"likeness": 0.6, "likeness_conditioned": 0.5, "expression_following": 0.5, "words_following": 0.7}
    found = claims.lost(usual | {"likeness": 0.56, "words_following": 0.75}, usual)
    assert found["passes"]
    assert (found["likeness_lost"], found["words_following_lost"]) == (0.04, -0.05)
    assert not claims.lost(usual | {"expression_following": 0.4}, usual)["passes"]


def test_a_face_counts_only_above_words_alone() -> None:
    assert claims.face_counts({"face0": numbers(0.3, 0, 0.2)}, "face0", numbers(0.0, 0, 0.05))["holds"]
    assert not claims.face_counts({"face0": numbers(-0.1, 0, 0.2)}, "face0", numbers(0.0, 0, 0.05))["holds"]


def sitter(seed: int, **person: Any) -> Sitter:
    shown = Shown(np.zeros((2, 2, 3), np.uint8), {"person": person})
    return Sitter(seed, f"{person['sex']}, {person['skin_tone']}", shown, shown, shown)


def test_the_worst_group_is_told_by_how_far_it_lies_below_the_mean() -> None:
    people = [sitter(k, age_group="old" if k < 2 else "young", sex="woman", skin_tone="pale" if k else "dark") for k in range(4)]
    found = by_axis(people, [0.0, 0.2, 0.6, 0.8])
    assert found["age"]["likeness"] == {"old": 0.1, "young": 0.7}
    assert found["age"]["worst_below_mean"] == pytest.approx(0.3)
    assert found["sex"]["worst_below_mean"] == pytest.approx(0)
    assert found["skin tone"]["people"] == {"dark": 1, "pale": 3}
    assert found["skin tone"]["worst_below_mean"] < 0, "the only dark one does not count as a group"


def test_any_number_of_a_scale_may_be_another_and_a_wrong_one_is_told() -> None:
    assert asdict(changed(QUICK, ["some=20", "wishes=3"])) == asdict(QUICK) | {"some": 20, "wishes": 3}
    for said in ("nobody=3", "some=1", "some", "some=many"):
        with pytest.raises(ValueError, match=f"--set is '{said}'; wanted NAME=N, N 2 or more, NAME one of: people, wishes"):
            changed(QUICK, [said])


def test_equal_pictures_are_not_apart_and_black_and_white_wholly() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert apart([black, black]) == 0
    assert apart([black, white]) == 1
    assert apart([black, black, white]) == pytest.approx(2 / 3)


def test_the_page_has_every_system_claim_and_group() -> None:
    way = {key: 0.5 for key in report.COLUMNS} | {"following": {"smile": 0.25}}
    axes = {"age": {"likeness": {"old": -0.1, "young": 0.7}, "people": {"old": 2, "young": 3}, "worst_below_mean": 0.3}}
    found = {
        "people": 5,
        "steps": 20,
        "scale": {"wishes": 4, "preset_expressions": 12, "preset_others": 4, "some": 8, "personal": 3, "learned_steps": 60},
        "engines": "abc",
        "systems": {"face0": way | {"pose_error": None}, "lipe": {"likeness": 0.75, "background_psnr": 71.0}},
        "baselines": {"words alone": way},
        "presets": {"fast": way | {name: 0.03 for name in report.LOST} | {"passes": True}},
        "claims": {name: {"holds": False, "says": "it is so", "likeness": 0.123} for name in ("face0", "personal prior")},
        "fairness": {"face0": axes, "the photo itself": axes},
    }
    page = report.page(found)
    assert "| face0 | .50 | .50 | .50 | .50 | .50 |  | .50 |" in page
    assert "| lipe | .75 |  |  |  |  |  |  |  |  | 71.00 |  |" in page, "a system that takes a picture is not asked for all"
    assert "asked of 3 of these people, each learned from five photos in 60 steps" in page
    assert "- **face0**: it is so. **Does not hold** (likeness .12).\n" in page
    assert "- **personal prior**: it is so. **Does not hold** (likeness .12). Likely because the photos' own head is held" in page
    assert "| age | old (2) | young (3) |" in page
    assert "| face0 | -.10 | .70 |" in page
    assert "| the photo itself | -.10 | .70 |" in page
    assert "| .03 | .03 | .03 | .03 | .03 | yes |" in page
    assert "5 synthetic people" in page
    assert "takes it: wishes 4, preset_expressions 12, preset_others 4, some 8, personal 3, learned_steps 60." in page
    assert "By the default system, of 5 people; 12 portraits for each expression, 4 for each other thing" in page

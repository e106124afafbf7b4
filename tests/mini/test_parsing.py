"""What pictures show is told apart, of people never trained on."""

import numpy as np
import pytest
import torch

from export.face_parsing import FaceParsing
from export.families import PARSED
from training.mini.loop import Run, Schedule
from training.mini.parsing import IS, Labelled, ParsingConfig, ParsingStage
from training.people.parts import Part

SIDE = 64


def pictures(first: int, count: int = 12) -> Labelled:
    """Heads of one colour under hair of another over clothes of a third, all over the place."""
    draw = np.random.default_rng(first)
    shows = np.zeros((count, SIDE, SIDE), np.uint8)
    for one in shows:
        top, left = draw.integers(4, 24, 2)
        one[top + 30 :] = PARSED.index("clothes")
        one[top : top + 12, left : left + 24] = PARSED.index("hair")
        one[top + 12 : top + 34, left : left + 24] = PARSED.index("skin")
    colours = np.zeros((len(PARSED), 3), np.uint8)
    colours[: PARSED.index("clothes") + 1] = [(30, 200, 30), (220, 170, 140), (60, 30, 10), (0, 0, 0), (30, 30, 220)]
    return Labelled(colours[shows], shows)


def test_every_part_of_the_renderer_is_told_as_something() -> None:
    assert len(IS) == len(Part)
    names = {part.name: PARSED[IS[part]] for part in Part}
    assert {names[part] for part in ("SKIN", "EYE", "BROW", "LIPS", "TEETH", "TONGUE")} == {"skin"}
    assert [names[part] for part in ("BACKGROUND", "HAIR", "BEARD", "CLOTH", "GLASSES", "HAT", "EARRING")] == [
        *("background", "hair", "beard", "clothes", "glasses", "hat", "earring")
    ]


def test_shares_of_a_pixel_sum_to_one() -> None:
    shares = FaceParsing()(torch.randn(2, 3, SIDE, SIDE))
    assert shares.shape == (2, len(PARSED), SIDE, SIDE)
    torch.testing.assert_close(shares.sum(1), torch.ones(2, SIDE, SIDE))


@pytest.mark.slow
def test_what_people_never_trained_on_show_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    schedule = Schedule(steps=60, batch=8, learning_rate=4e-3, warmup=5, average=0.9)
    stage = ParsingStage(ParsingConfig(schedule=schedule, judged=8, shown=2), pictures(0), pictures(1000))
    before, _ = stage.judge()
    Run(stage, tmp_path_factory.mktemp("parsing")).train(quiet=True)
    after, sheet = stage.judge()
    assert sheet.ndim == 3
    for name in ("background", "skin", "hair", "clothes"):
        assert after[name] > max(0.8, before[name]), name

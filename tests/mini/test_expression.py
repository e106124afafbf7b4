"""What words say of a face is learned from how its shape differs from shot to shot."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from export.expression import FAINT, TOLD, USUAL, FaceExpression
from tests.mini.worded import EMPTY, WIDTH, worded
from training.mini.corpus import Corpus
from training.mini.expression import expression_stage
from training.mini.loop import Run, Schedule
from training.mini.ways import WaysConfig, WaysStage

PEOPLE, SHOTS = 40, 4
OPEN, SHUT = 1, 0
"""Which of the words' states is loud: the mouth is open, or it is not."""


def corpus(first: int) -> Corpus:
    """People whose chin lies lower in every second shot, and whose words say so; faces differ from person to person, too."""
    draw = np.random.default_rng(first)
    person = np.repeat(np.arange(first, first + PEOPLE), SHOTS)
    opened = np.tile([SHUT, OPEN], PEOPLE * SHOTS // 2)
    own = np.repeat(draw.normal(size=(PEOPLE, 468, 3)) * 0.05, SHOTS, 0)
    shape = own + np.linspace(0, 1, 468)[None, :, None] * [0, 0.3, 0] * opened[:, None, None] + draw.normal(size=own.shape) * 0.01
    return worded(person, opened, shape, np.zeros((len(person), 3, 192, 192), np.uint8))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> WaysStage:
    config = WaysConfig(schedule=Schedule(steps=120, batch=32, learning_rate=3e-3, warmup=10), shown=2, judged=1)
    stage = expression_stage(config, corpus(0), corpus(1000), EMPTY)
    Run(stage, tmp_path_factory.mktemp("expression")).train(quiet=True)
    return stage


def changes(stage: WaysStage, shape: torch.Tensor, words: dict[str, torch.Tensor]) -> torch.Tensor:
    """[n, 468, 3]"""
    return stage.network.changes(shape, words["states"], words["mask"]).reshape(-1, 468, 3)  # type: ignore[no-any-return, operator]


@pytest.mark.slow
def test_on_people_never_trained_on_the_words_move_the_mouth_and_the_face_stays_theirs(learned: WaysStage) -> None:
    people = learned.held_out
    shut = np.arange(0, len(people), SHOTS)
    found = learned.worded(people, shut + 1, [0] * len(shut))
    shape = torch.from_numpy(people.shape[shut])
    with torch.no_grad():
        moved = changes(learned, shape, found)
        numbers, _ = learned.judge()
    chin = moved[:, -1].mean(0)
    assert chin[1].item() == pytest.approx(0.3, abs=0.06)
    assert moved[:, 0].abs().max() < 0.1
    assert numbers["left_0"] < 0.1


@pytest.mark.slow
def test_words_that_ask_for_what_the_face_does_already_leave_it(learned: WaysStage) -> None:
    people = learned.held_out
    opened = np.arange(1, len(people), SHOTS)
    found = learned.worded(people, opened, [0] * len(opened))
    shape = torch.from_numpy(people.shape[opened])
    with torch.no_grad():
        assert changes(learned, shape, found)[:, -1, 1].abs().mean() < 0.06


@pytest.mark.slow
def test_no_words_leave_the_mouth_between_both(learned: WaysStage) -> None:
    people = learned.held_out
    opened = np.arange(1, len(people), SHOTS)
    found = learned.worded(people, opened, [None] * len(opened))
    shape = torch.from_numpy(people.shape[opened])
    with torch.no_grad():
        moved = changes(learned, shape, found)[:, -1, 1].mean()
    assert -0.25 < moved.item() < -0.05


def test_a_scale_of_nothing_is_the_shape_as_it_was_and_tokens_that_are_none_are_not_read() -> None:
    network, draw = FaceExpression(WIDTH), torch.Generator().manual_seed(0)
    shape, states = torch.randn(2, 468, 3, generator=draw), torch.randn(2, 77, WIDTH, generator=draw)
    mask = torch.zeros(2, 77)
    mask[:, :5] = 1
    with torch.no_grad():
        assert torch.equal(network(shape, states, mask, torch.zeros(2)), shape)
        full = network(shape, states, mask, torch.ones(2))
        assert not torch.equal(full, shape)
        states[:, 5:] = 9
        torch.testing.assert_close(network(shape, states, mask, torch.ones(2)), full)


def test_words_count_by_what_they_say_more_than_no_words() -> None:
    """Where they say nothing, a face goes a part of the way to the usual expression; what they say beyond that it does the more."""
    network, draw = FaceExpression(WIDTH), torch.Generator().manual_seed(0)
    shape, states, nothing = (torch.randn(size, generator=draw) for size in ((1, 468, 3), (1, 77, WIDTH), (2, WIDTH)))
    silent, mask = torch.zeros(1, 77, WIDTH), torch.zeros(1, 77)
    silent[0, :2], mask[:, :2] = nothing, 1
    network.listen(nothing, *[nothing] * len(FAINT))
    with torch.no_grad():
        usual, told = (network.changes(shape, words, mask).reshape(1, 468, 3) for words in (silent, states))
        without, with_words = (network(shape, words, mask, torch.ones(1)) - shape for words in (silent, states))
    torch.testing.assert_close(without, USUAL * usual)
    torch.testing.assert_close(with_words, USUAL * usual + TOLD * (told - usual))


@pytest.mark.parametrize("place", range(len(FAINT)))
def test_what_is_faint_counts_more(place: int) -> None:
    network, draw = FaceExpression(WIDTH), torch.Generator().manual_seed(0)
    shape, said = (torch.randn(size, generator=draw) for size in ((1, 468, 3), (3, WIDTH)))
    words, mask = torch.zeros(1, 77, WIDTH), torch.zeros(1, 77)
    words[0, :3], mask[:, :3] = said, 1
    nothing = torch.zeros(1, WIDTH)
    network.listen(nothing, *(said if k == place else nothing for k in range(len(FAINT))))
    with torch.no_grad():
        usual, told = (network.added(network.moved(shape, read)).reshape(1, 468, 3) for read in (network.silence, network.faint[place : place + 1]))
        moved = network(shape, words, mask, torch.ones(1)) - shape
    how = list(FAINT.values())[place]
    torch.testing.assert_close(moved, (USUAL + how.usual) * usual + (TOLD + how.more) * (told - usual))


def test_people_have_fewer_ways_than_pictures_and_the_others_stay_still() -> None:
    stage = expression_stage(replace(WaysConfig(), shown=1), _few(corpus(0)), corpus(1000), EMPTY)
    assert stage.network.get_buffer("ways")[6:].abs().max() == 0


def _few(people: Corpus) -> Corpus:
    return replace(people, seed=people.seed[:8], shape=people.shape[:8], found=people.found[:8])

"""What words say of the light is learned from how a head's colours differ from shot to shot."""

import numpy as np
import pytest
import torch

from export.even import EvenLight, changed
from export.light import CELLS, FaceLight, colours
from tests.mini.worded import EMPTY, WIDTH, worded
from training.mini.corpus import Corpus
from training.mini.light import light_stage, mean_light
from training.mini.loop import Run, Schedule
from training.mini.ways import WaysConfig, WaysStage

PEOPLE, SHOTS = 30, 2
HEAD = (slice(30, 160), slice(40, 152))
"""Rows and columns of a texture where somebody is."""


def corpus(first: int) -> Corpus:
    """People of different colours, each lit from the left and from the right, whose words say so."""
    draw = np.random.default_rng(first)
    person = np.repeat(np.arange(first, first + PEOPLE), SHOTS)
    side = np.tile([0, 1], PEOPLE)
    colour = np.repeat(draw.uniform(0.25, 0.4, (PEOPLE, 3)), SHOTS, 0)
    across = np.linspace(-0.6, 0.6, 192)[None] * (2 * side - 1)[:, None]
    texture = np.full((len(person), 3, 192, 192), 0.5)
    texture[:, :, *HEAD] = (colour[..., None, None] * np.exp(across)[:, None, None])[..., HEAD[1]]
    return worded(person, side, draw.normal(size=(len(person), 468, 3)), (texture * 255).round().astype(np.uint8))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> WaysStage:
    config = WaysConfig(schedule=Schedule(steps=120, batch=32, learning_rate=3e-3, warmup=10), shown=2, judged=1)
    stage = light_stage(config, EvenLight(), corpus(0), corpus(1000), EMPTY)
    Run(stage, tmp_path_factory.mktemp("light")).train(quiet=True)
    return stage


@pytest.mark.slow
def test_on_people_never_trained_on_the_light_comes_from_where_the_words_say(learned: WaysStage) -> None:
    people = learned.held_out
    left = np.arange(0, len(people), SHOTS)
    found = learned.worded(people, left + 1, [0] * len(left))
    before, wanted = (torch.from_numpy(people.texture[which]).float() / 255 for which in (left, left + 1))
    with torch.no_grad():
        lit = learned.network(before, found["states"], found["mask"], torch.ones(len(left)))
    middle = (slice(None), slice(None), slice(50, 140), slice(60, 132))
    assert (lit - wanted)[middle].abs().mean() < 0.2 * (before - wanted)[middle].abs().mean()


def test_where_nobody_is_stays_grey_and_a_scale_of_nothing_changes_nothing() -> None:
    network = FaceLight(WIDTH)
    people = torch.from_numpy(corpus(0).texture[:2]).float() / 255
    people[:, :, :20] = 0.5
    states, mask = torch.randn(2, 77, WIDTH), torch.ones(2, 77)
    with torch.no_grad():
        torch.testing.assert_close(network(people, states, mask, torch.zeros(2)), people)
        network.spread.fill_(5)
        lit = network(people, states, mask, torch.ones(2))
    assert not torch.equal(lit[..., *HEAD], people[..., *HEAD])
    assert torch.equal(lit[:, :, :20], people[:, :, :20])
    assert lit.min() >= 0
    assert lit.max() <= 1


def test_the_mean_light_is_that_of_the_heads_that_have_something_there() -> None:
    """Every second head is bald: its upper cells are nobody's, and count for nothing there."""
    people = corpus(0)
    people.texture[::2, :, : HEAD[0].start + 40] = 128
    found = mean_light(people).reshape(3, CELLS, CELLS)[:, 4, 6]
    with_hair, own = colours(torch.from_numpy(people.texture[1::2]).float() / 255)
    assert own.reshape(-1, 3, CELLS, CELLS)[:, :, 3, 6].min() == 1
    torch.testing.assert_close(mean_light(people).reshape(3, CELLS, CELLS)[:, 3, 6], with_hair.mean(0).reshape(3, CELLS, CELLS)[:, 3, 6])
    assert (found < -0.5).all()


def test_cells_where_nobody_is_are_as_the_mean() -> None:
    network = FaceLight(WIDTH)
    network.mean.fill_(-1.25)
    with torch.no_grad():
        light = network.light(torch.from_numpy(corpus(0).texture[:1]).float() / 255).reshape(3, CELLS, CELLS)
    assert (light[:, 0] == -1.25).all()
    assert (light[:, 4:8, 4:8] != -1.25).all()


@pytest.mark.slow
def test_the_photos_light_is_taken_away_before_the_words_are_heard_and_stays_away_while_they_are_learned() -> None:
    even = EvenLight()
    torch.nn.init.constant_(even.leave.bias, 0.3)  # type: ignore[arg-type]
    people = corpus(0)
    stage = light_stage(WaysConfig(schedule=Schedule(steps=2, batch=4, learning_rate=1e-2, warmup=1)), even, people, people, EMPTY)
    batch = stage.batch(np.random.default_rng(0))
    as_shot = stage.network.light(torch.from_numpy(people.texture[batch["before"].numpy()]).float() / 255)  # type: ignore[operator]
    brighter = (batch["values"] - as_shot).reshape(-1, 3, CELLS, CELLS)[..., 4:8, 4:8]
    torch.testing.assert_close(brighter, torch.full_like(brighter, 0.3), atol=0.06, rtol=0)
    assert not any(parameter.requires_grad for name, parameter in stage.network.named_parameters() if name.startswith("even."))
    texture = torch.from_numpy(people.texture[:2]).float() / 255
    with torch.no_grad():
        stage.network.layers[-1].weight.zero_(), stage.network.layers[-1].bias.zero_()  # type: ignore[index,union-attr]
        lit = stage.network(texture, batch["states"][:2], batch["mask"][:2], torch.ones(2))
    torch.testing.assert_close(lit, changed(texture, even(texture)))

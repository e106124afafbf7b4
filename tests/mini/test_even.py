"""A head's own light is learned away: from how other shots of the same people are lit, and from who they are."""

import numpy as np
import pytest
import torch

from export.even import MOST, EvenLight, changed, in_face, nearly_one_tint
from tests.mini.test_light import HEAD, SHOTS, corpus
from training.mini.even import EvenConfig, EvenStage, distance, face_cells
from training.mini.loop import Run, Schedule


def nobody(texture: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Is unlike anybody."""
    return texture.new_zeros(len(texture))


@pytest.mark.slow
def test_people_never_trained_on_are_lit_as_in_their_other_shots(tmp_path_factory: pytest.TempPathFactory) -> None:
    """There are two of everybody here, so that it is known which."""
    schedule = Schedule(steps=40, batch=8, learning_rate=3e-3, warmup=5, average=0.9)
    stage = EvenStage(EvenConfig(schedule=schedule, shown=2), corpus(0), corpus(1000), nobody)
    Run(stage, tmp_path_factory.mktemp("even")).train(quiet=True)
    texture = torch.from_numpy(stage.held_out.texture[: 4 * SHOTS]).float() / 255
    others = texture.reshape(4, SHOTS, 3, 192, 192).flip(1).reshape_as(texture)
    with torch.no_grad():
        even = changed(texture, stage.network(texture))
    middle = (slice(None), slice(None), slice(50, 140), slice(60, 132))
    assert (even - others)[middle].abs().mean() < 0.4 * (texture - others)[middle].abs().mean()


def test_where_nobody_is_stays_grey_and_no_light_goes_farther_than_it_may() -> None:
    texture = torch.from_numpy(corpus(0).texture[:2]).float() / 255
    network = EvenLight()
    with torch.no_grad():
        torch.testing.assert_close(changed(texture, network(texture)), texture)
        torch.nn.init.constant_(network.leave.bias, 100)  # type: ignore[arg-type]
        changes = network(texture)
        even = changed(texture, changes)
    assert changes.max() <= MOST
    assert (even[..., *HEAD] > texture[..., *HEAD]).all()
    assert torch.equal(even[:, :, : HEAD[0].start], texture[:, :, : HEAD[0].start])
    assert even.max() <= 1


def test_light_is_compared_where_somebody_is_in_both_and_most_in_the_face() -> None:
    one, other = (torch.full((1, 3, 192, 192), 0.5) for _ in range(2))
    one[..., 48:144, 48:144], other[..., 48:144, 96:144] = 0.2, 0.4
    brighter = other.clone()
    brighter[..., 96:, 96:144] *= 2
    assert distance(one, one, one, 12) == 0
    assert 0 < distance(one, one, other, 12) < distance(one, one, brighter, 12)
    beyond = other.clone()
    beyond[..., :, :48] = 0.1
    torch.testing.assert_close(distance(one, one, beyond, 12), distance(one, one, other, 12))
    cells = face_cells(12)
    assert cells[6, 6] == 1
    assert cells[0].max() < 1
    torch.testing.assert_close(cells, cells.flip(1))


@pytest.mark.slow
def test_likeness_is_part_of_what_is_learned() -> None:
    """With a light that is right already, what is left to lose is the person: by a stub, those who are dark."""
    lit = corpus(0)
    stage = EvenStage(EvenConfig(shown=1), lit, lit, lambda texture, own: 1 - texture.mean((1, 2, 3)))
    batch = stage.batch(np.random.default_rng(0))
    batch["wanted"] = batch["texture"]
    total, parts = stage.loss(batch, torch.Generator())
    assert parts["apart"] == pytest.approx(0, abs=1e-6)
    assert total.item() == pytest.approx(0.5 * parts["unlike"])
    assert parts["unlike"] == pytest.approx(1 - batch["texture"][: stage.config.likened].mean().item(), abs=1e-4)


def test_light_that_is_taken_away_has_one_tint_but_for_a_little_in_the_face() -> None:
    """A head under warm light, of which the layers make a red stripe beside the face and a blue one in it."""
    warm = torch.tensor([0.3, 0.0, -0.3])[None, :, None, None].expand(1, 3, 48, 48).clone()
    striped = warm.clone()
    striped[:, 0, :, 4:6] += 0.6
    striped[:, 2, 20:28, 22:24] += 0.6
    own, most = torch.ones(1, 1, 48, 48), EvenLight().tinted
    torch.testing.assert_close(nearly_one_tint(warm, own, most), warm)
    found = nearly_one_tint(striped, own, most)
    torch.testing.assert_close(found.mean(1), striped.mean(1))
    coloured = (found - found.mean(1, keepdim=True)) - (warm - warm.mean(1, keepdim=True))
    assert coloured[..., 4:6].abs().max() < 0.06
    assert 0.06 < coloured[:, :, 20:28, 22:24].abs().max() < 0.12
    torch.testing.assert_close(in_face(48), in_face(48).flip(1))


def test_a_mirrored_head_is_evened_as_its_mirror_image() -> None:
    network, texture = EvenLight(), torch.from_numpy(corpus(0).texture[:1]).float() / 255
    torch.nn.init.normal_(network.leave.weight)
    with torch.no_grad():
        torch.testing.assert_close(network.both_ways(texture.flip(3)), network.both_ways(texture).flip(3))
        assert not torch.allclose(network(texture.flip(3)), network(texture).flip(3))

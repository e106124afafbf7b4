"""Invented people vary as the corpus does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from export.character import Character
from export.context import AppearanceEncoder
from export.families import FaceShape
from training.mini.characters import fitted
from training.mini.corpus import Corpus
from training.mini.errors import MissingPiece

FACE = replace(FaceShape(), character=2)
PEOPLE, SHOTS = 40, 2


def corpus() -> Corpus:
    """People whose identity vectors lie on two ways, each with two shots that differ a little."""
    draw = np.random.default_rng(0)
    ways = np.linalg.qr(draw.normal(size=(128, 3)))[0].T
    who = ways[2] + draw.normal(size=(PEOPLE, 2)) * (0.3, 0.1) @ ways[:2]
    count = PEOPLE * SHOTS
    empty: dict[str, object] = {name: np.zeros(0) for name in ("landmarks", "points", "keypoints", "region", "soft", "latent", "starts", "shard")}
    return Corpus(
        seed=np.repeat(np.arange(PEOPLE), SHOTS),
        identity=(np.repeat(who, SHOTS, 0) + draw.normal(size=(count, 128)) * 1e-3).astype(np.float32),
        face=draw.integers(0, 256, (count, 16, 16, 3), np.uint8).repeat(7, 1).repeat(7, 2),
        head=draw.integers(0, 256, (count, 16, 16, 3), np.uint8).repeat(7, 1).repeat(7, 2),
        shape=(np.ones((count, 468, 3)) + draw.normal(size=(count, 468, 3)) * 1e-3).astype(np.float32),
        texture=draw.integers(0, 256, (count, 3, 192, 192), np.uint8),
        found=np.ones(count, bool),
        states=(),
        **empty,  # type: ignore[arg-type]
    )


@pytest.mark.slow
def test_invented_people_vary_on_the_ways_of_real_ones() -> None:
    torch.manual_seed(0)
    people = corpus()
    known = fitted(people, AppearanceEncoder(), FACE)
    made = Character(FACE)
    made.load_state_dict(known)
    with torch.no_grad():
        identity, appearance, shape, texture = made(torch.randn(500, 2))
    assert appearance.shape == (500, 98, 256)
    assert texture.shape == (500, 3, 192, 192)
    assert 0.4 < float(texture.mean()) < 0.6
    torch.testing.assert_close(identity.norm(dim=1), torch.ones(500))
    torch.testing.assert_close(shape.mean(0), torch.ones(468, 3), atol=0.01, rtol=0)
    centre = torch.from_numpy(people.identity.mean(0))
    assert float(identity.std(0).norm()) > 0
    assert float((identity @ torch.nn.functional.normalize(centre, dim=0)).mean()) > 0.9
    assert not torch.equal(identity[0], identity[1])


def test_the_strongest_way_of_the_people_is_found() -> None:
    people = corpus()
    ways = fitted(people, AppearanceEncoder(), replace(FACE, character=20))["ways"][:, :128]
    truth = people.identity - people.identity.mean(0)
    strongest = np.linalg.svd(truth, full_matrices=False)[2][0]
    assert float(np.linalg.norm(ways.numpy() @ strongest)) > 0.2, "its deviation is .3"


def test_too_few_people_are_told() -> None:
    with pytest.raises(MissingPiece, match="the corpus has 40 people; 48 components need more"):
        fitted(corpus(), AppearanceEncoder(), FaceShape())

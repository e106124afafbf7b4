"""Clothes are told from hair and neck on the textures of people never trained on."""

import dataclasses

import numpy as np
import pytest
import torch

from export.clothes import Clothes
from export.on_texture import SEEN
from export.texture import SIDE
from tests.mini.test_overlay import people
from training.mini.clothes import ClothesConfig, ClothesStage
from training.mini.corpus import Corpus
from training.mini.loop import Run, Schedule
from training.mini.worn import Worn

BODY = (slice(150, 180), slice(20, 172))
HAIR = (slice(150, 180), slice(20, 50))
"""Rows and columns of a texture; who has long hair has it there."""


def dressed(first: int) -> tuple[Corpus, Worn]:
    """Bodies of any colour below heads of another; every second person has hair of the head's colour before it."""
    corpus, worn = people(first)
    draw = np.random.default_rng(first + 1)
    clothes = np.zeros((len(corpus.texture), SIDE, SIDE), np.uint8)
    clothes[:, *BODY] = 255
    corpus.texture[:, :, *BODY] = draw.integers(150, 255, (len(clothes), 3, 1, 1))
    clothes[::2, *HAIR] = 0
    corpus.texture[::2, :, *HAIR] = corpus.texture[::2, :, 100:101, 90:91]
    return corpus, dataclasses.replace(worn, clothes=clothes.reshape(-1, SEEN, 2, SEEN, 2).mean((2, 4)).astype(np.uint8))


@pytest.mark.slow
def test_clothes_of_people_never_trained_on_are_told_from_their_hair(tmp_path_factory: pytest.TempPathFactory) -> None:
    schedule = Schedule(steps=60, batch=12, learning_rate=3e-3, warmup=5, average=0.9)
    stage = ClothesStage(ClothesConfig(schedule=schedule, shown=2), dressed(0), dressed(1000))
    before, _ = stage.judge()
    assert before["lost"] == 1, "at first all is taken for clothes"
    Run(stage, tmp_path_factory.mktemp("clothes")).train(quiet=True)
    numbers, _ = stage.judge()
    assert numbers["kept"] < 0.1
    assert numbers["lost"] < 0.1


def test_untrained_it_takes_everything_for_clothes() -> None:
    assert Clothes()(torch.rand(2, 3, SIDE, SIDE)).min() > 0

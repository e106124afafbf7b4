"""A reader of what is worn learns from portraits that wear what their photos do."""

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from omokage.faces import NoFace
from PIL import Image

from measure import worn
from measure.in_process import InProcess
from measure.learn import spread
from measure.people import Shown
from measure.portraits import Ask, Portrait
from measure.reader import TINT, Lessons, faded
from measure.worn import WORDS, name_of, portraits
from training.people import wardrobe

PHOTO = np.zeros((8, 8, 3), np.uint8)


class Blind:
    """Finds no face in any photo."""

    asked = 0

    def infer(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        raise NoFace("no face was found")


def test_portraits_that_were_made_before_are_taken_from_their_files_and_photos_without_a_face_have_none(tmp_path: Path) -> None:
    photos = [Shown(np.full_like(PHOTO, k), {"shot": {"hat": "beanie"}, "number": k}) for k in range(3)]
    made, cut_short = (tmp_path / f"{name_of(photo)}.png" for photo in photos[1:])
    Image.fromarray(PHOTO + 9).save(made)
    made.with_suffix(".json").write_text(json.dumps({"words": WORDS[1], "seed": 1, "seconds": 0.3}))
    Image.fromarray(PHOTO + 9).save(cut_short)  # a run ended before it told of this one
    runtime = Blind()
    found = portraits(cast(InProcess, runtime), photos, tmp_path)
    assert [one.record for one in found] == [photos[1].record]
    assert found[0].image.max() == found[0].image.min() == 9
    assert runtime.asked == 2


def test_what_is_asked_for_a_photo_follows_from_its_pixels_and_not_from_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Ask] = []

    def made(runtime: InProcess, ask: Ask, folder: Path) -> Portrait:
        asked.append(ask)
        return Portrait(PHOTO, 0.3)

    monkeypatch.setattr(worn, "by_photos", lambda runtime, photos: None)
    monkeypatch.setattr(worn, "portrait", made)
    photos = [Shown(np.full_like(PHOTO, k), {"key": "0000007-0001", "role": "shot"}) for k in range(9)]
    portraits(cast(InProcess, Blind()), photos, tmp_path)
    portraits(cast(InProcess, Blind()), photos[::-1], tmp_path)
    there, back = asked[:9], asked[:8:-1]
    assert [(one.name, one.words, one.seed) for one in there] == [(one.name, one.words, one.seed) for one in back]
    assert len({one.name for one in there}) == 9
    assert {one.words for one in there} <= set(WORDS)
    assert len({one.words for one in there}) > 2
    assert all(one.knobs == {"preset": "fast"} for one in there)


def test_so_many_are_spread_over_all() -> None:
    rows = list(range(10))
    assert spread(rows, 0) == spread([], 5) == []
    assert spread(rows, 10) == spread(rows, 99) == rows
    assert spread(rows, 4) == [0, 3, 6, 9]
    assert spread(rows, 9) == [0, 2, 4, 6, 8]


def test_the_words_of_these_portraits_put_nothing_on_anybody() -> None:
    things = {word for hat in wardrobe.HATS.values() for word in hat.words.split()[2:]} | {"hat", "cap", "glasses", "sunglasses", "spectacles"}
    assert not [word for words in WORDS for word in words.replace(",", "").split() if word in things]


def test_pictures_that_fade_keep_their_shapes_and_lose_colour_as_often_as_was_said() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(400, 3, 4, 4)
    pictures[:, 0, :, :2] = 0.6
    assert faded(pictures, Lessons().paler) is pictures
    found = faded(pictures, 0.5)
    spread = (found[..., 0].amax((1, 2)) - found[..., 0].amin((1, 2))) / 0.6
    assert 0.3 < (spread < 1 - TINT).float().mean() < 0.5, "of the half that fades, one fifth so little that it might be the tint"
    assert found[..., 2:].max() == 0
    assert 0.2 * (1 - TINT) <= found[:, 0, :, 0].min() < 0.2, "red alone, grey"
    assert found.max() <= 0.6 * (1 + TINT)

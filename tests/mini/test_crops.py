"""Crops lie in their pictures, and the points of their faces lie where the faces do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from training.mini.crops import MIRRORED, Crops, drawn

POINTS = np.array([[90, 100], [150, 104], [121, 130], [96, 160], [145, 163]], np.float32)
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255]], np.uint8)


class OnePicture:
    """A data set of one picture, black but for a dot of its own colour at each point."""

    rows = (SimpleNamespace(shard=Path()),)

    def __len__(self) -> int:
        return 1

    def record(self, _: Any) -> dict[str, Any]:
        return {"keypoints": POINTS.tolist()}

    def image(self, _: Any) -> np.ndarray[Any, Any]:
        picture = np.zeros((256, 256, 3), np.uint8)
        x, y = POINTS.astype(int).T
        picture[y, x] = COLOURS
        return picture


def test_points_lie_on_their_dots_mirrored_or_not() -> None:
    found = drawn(OnePicture(), 16, 128, 1.0, 4.0, np.random.default_rng(0))  # type: ignore[arg-type]
    assert found.whole().all()
    right_to_left = 0
    for picture, points in zip(found.pictures, found.points.long(), strict=True):
        seen = ((picture[:, points[:, 1], points[:, 0]].T + 1) * 127.5).round().byte().numpy()
        mirrored = bool((seen == COLOURS[MIRRORED]).all())
        assert mirrored or (seen == COLOURS).all()
        assert points[0, 0] < points[1, 0], "the right eye lies left in every picture"
        right_to_left += mirrored
    assert 0 < right_to_left < 16


def test_a_face_that_is_cut_off_is_not_whole() -> None:
    points = torch.from_numpy(np.stack([POINTS - 60, POINTS - 91]))
    assert Crops(torch.zeros(2, 3, 128, 128), points).whole().tolist() == [True, False]

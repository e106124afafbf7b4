"""Square parts of pictures, mostly round faces."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.mini.loop import Image
from training.mini.pictures import to_tensor
from training.people.loader import Dataset

MIRRORED = [1, 0, 2, 4, 3]  # which of a face's five points each is in the mirror


@dataclass(frozen=True)
class Crops:
    """`pictures` [B, 3, S, S] in -1..1 and the five `points` [B, 5, 2] of their faces in their pixels, x before y."""

    pictures: Tensor
    points: Tensor

    def whole(self) -> Tensor:
        """[B]: whether all points of a face lie in its crop."""
        return ((self.points >= 0) & (self.points < self.pictures.shape[-1])).flatten(1).all(1)


def drawn(data: Dataset, count: int, side: int, at_face: float, spread: float, draw: np.random.Generator) -> Crops:
    """So many crops of `side` pixels, half of them mirrored; of the share `at_face` the middle is `spread` pixels (deviation) off the face's."""
    crops = [_one(data, side, at_face, spread, draw) for _ in range(count)]
    return Crops(to_tensor([picture for picture, _ in crops]), torch.from_numpy(np.stack([points for _, points in crops])))


def _one(data: Dataset, side: int, at_face: float, spread: float, draw: np.random.Generator) -> tuple[Image, npt.NDArray[np.float32]]:
    row = data.rows[int(draw.integers(len(data)))]
    picture, points = data.image(row), np.asarray(data.record(row)["keypoints"], np.float32)
    room = np.subtract(picture.shape[1::-1], side)
    corner = draw.uniform(0, room, 2)
    if draw.random() < at_face:
        corner = np.clip(points.mean(0) + draw.normal(0, spread, 2) - side / 2, 0, room)
    x, y = (int(value) for value in corner)
    crop, points = picture[y : y + side, x : x + side], points - np.array([x, y], np.float32)
    if draw.random() < 0.5:
        return crop[:, ::-1], np.stack([side - 1 - points[MIRRORED, 0], points[MIRRORED, 1]], 1)
    return crop, points

"""The square round a face that a portrait shows, cut out of a photo and put back into it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from omokage.pose import square
from omokage.system import Floats

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """`corner` (x, y) and `side`: whole pixels of the photo, which it may go beyond."""

    corner: tuple[int, int]
    side: int

    def places(self, points: Floats) -> Floats:
        """Points [n, 2] in pixels of the photo to 0..1 of the square."""
        return np.asarray((points - np.array(self.corner, np.float32)) / self.side, np.float32)

    def cut(self, photo: Pixels, size: int) -> Pixels:
        """[size, size, 3] of an RGB photo [H, W, 3]; beyond its edge the edge is repeated."""
        (left, top), side = self.corner, self.side
        height, width = photo.shape[:2]
        rows, columns = (np.clip(np.arange(first, first + side), 0, most - 1) for first, most in ((top, height), (left, width)))
        return np.asarray(Image.fromarray(photo[rows[:, None], columns]).resize((size, size), Image.Resampling.BICUBIC), np.uint8)

    def back(self, photo: Pixels, picture: Pixels, mask: npt.NDArray[np.float32]) -> Pixels:
        """The photo [H, W, 3] with a picture [size, size, 3] in the square, as much of it as a mask [size, size] in 0..1 says; where that is 0, the
        photo's own bytes."""
        (left, top), side = self.corner, self.side
        height, width = photo.shape[:2]
        put = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC), np.float32)
        share = np.asarray(Image.fromarray(mask.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR), np.float32).clip(0, 1)[..., None]
        inside = slice(max(0, top), min(height, top + side)), slice(max(0, left), min(width, left + side))
        there = slice(inside[0].start - top, inside[0].stop - top), slice(inside[1].start - left, inside[1].stop - left)
        found = photo.copy()
        before = photo[inside].astype(np.float32)
        found[inside] = np.rint(before + share[there] * (put[there] - before)).clip(0, 255).astype(np.uint8)
        return found


def round_face(box: Floats, width: int, height: int) -> Frame:
    """As large as faces have it in portraits. `box`: x, y, width and height of the face in pixels of the photo."""
    corner, side = square(box, width, height)
    return Frame((round(float(corner[0])), round(float(corner[1]))), max(1, round(side)))

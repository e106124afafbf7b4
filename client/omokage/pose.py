"""Where a face is to lie in a portrait, taken from a photo of another size."""

import numpy as np

from omokage.systems.base import Floats

AROUND = 2.3  # sides of the face's box in the square round it: as the portraits that the networks learned from


def framed(points: Floats, box: Floats, width: int, height: int) -> Floats:
    """Five points [5, 2] in pixels of a photo to 0..1 of a square round the face that lies within it as far as it can."""
    side = min(AROUND * float(box[2:].max()), float(max(width, height)))
    middle = box[:2] + box[2:] / 2
    room = np.array([width, height], np.float32) - side
    corner = np.where(room > 0, np.clip(middle - side / 2, 0, np.maximum(room, 0)), room / 2)
    return np.asarray((points - corner) / side, np.float32)

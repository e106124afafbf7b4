"""How far places are from a mask, and what hangs together in one; in plain numpy: the same numbers on every machine."""

import numpy as np

from omokage.blur import stretched
from omokage.plate import Mask
from omokage.system import Floats

FINE = 2  # pixels of a mask for each place at which its distance is told; between them it is linear
FAR = 1e4  # pixels: nothing is near what is not there


def away(mask: Mask) -> Floats:
    """[H, W]: how many pixels a place is away from a mask [H, W], to FINE; 0 in it, FAR where it is empty. H and W are multiples of FINE.

    Down the columns the distance to the nearest place of a column, then along the rows the nearest of those: exact (Felzenszwalb and Huttenlocher
    2012)."""
    height, width = (side // FINE for side in mask.shape)
    small = mask.reshape(height, FINE, width, FINE).any((1, 3))
    rows = np.arange(height, dtype=np.float32)[:, None]
    above = np.maximum.accumulate(np.where(small, rows, -FAR), 0)
    below = np.minimum.accumulate(np.where(small, rows, FAR)[::-1], 0)[::-1]
    column = np.minimum(rows - above, below - rows).astype(np.float32) ** 2
    across = (np.arange(width, dtype=np.float32)[:, None] - np.arange(width, dtype=np.float32)) ** 2
    found = np.sqrt((column[:, None, :] + across[None]).min(2))
    return np.where(mask, np.float32(0), np.minimum(FINE * stretched(found[None].astype(np.float32), FINE)[0], FAR))


def reaching(mask: Mask, start: Mask) -> Mask:
    """[H, W]: those parts of a mask [H, W] that hang together with a place [H, W] to start from."""
    found, before = mask & start, 0
    while (count := int(found.sum())) > before:
        before, wide = count, np.pad(found, 1)
        found = mask & (wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:])
    return found

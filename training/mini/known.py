"""Rows of a batch whose noisy picture has a head from another shot of the person in it, or the picture's own."""

import torch
import torch.nn.functional as F
from omokage.head import BORDER
from torch import Tensor

from training.mini.contexts import Arrays
from training.mini.noise import STEPS


def known_rows(arrays: Arrays) -> Tensor:
    """[B] whether a row is one with a head from another shot, which is to become the picture's."""
    return (arrays["covered"].flatten(1).amax(1) > 0) & ~arrays["kept"]


def covered(arrays: Arrays, step: Tensor) -> Tensor:
    """[B, 1, h, w]: how much of each cell the head there covers at steps [B]. One that is `kept` lets its outermost cells go as portraits do."""
    cover = arrays["covered"]
    ends = arrays["kept"] & (step < round((1 - BORDER) * STEPS))
    return torch.where(ends[:, None, None, None], cover * inside(cover), cover)


def inside(cover: Tensor) -> Tensor:
    """[B, 1, h, w]: 1 where a head covers a cell and all its neighbours mostly, 0 elsewhere, as `omokage.head.inside`."""
    return 1 - F.max_pool2d((cover < 0.5).float(), 3, 1, 1)


def counted(arrays: Arrays, step: Tensor, evened: Tensor) -> Tensor:
    """[B, 1, h, w]: how much errors count at steps [B]. Where a head is kept nobody looks at what is predicted, and they do not count; where it
    covers a part of a cell, `evened` [B] as much as for the clean latents (`noise.evened`)."""
    cover = covered(arrays, step) * arrays["kept"][:, None, None, None]
    return torch.where(cover > 0, (1 - cover) * evened[:, None, None, None], 1)

"""Pictures as tensors and tensors as pictures; sheets of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Image = npt.NDArray[np.uint8]
SIZE = 256  # pixels, side of a whole one


def to_tensor(images: Sequence[Image]) -> Tensor:
    """RGB [H, W, 3] each -> [B, 3, H, W] in -1..1, channels last."""
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return stacked.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def to_images(pictures: Tensor) -> Image:
    """[B, 3, H, W] in -1..1 -> [B, H, W, 3] RGB."""
    return np.asarray(((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())


def sheet(rows: Sequence[Sequence[Image]]) -> Image:
    """Rows of pictures of one size, under each other."""
    return np.vstack([np.hstack(list(row)) for row in rows])

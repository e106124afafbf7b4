"""A head without its photo's own light: shadows and tints go, who it is stays."""

import torch
import torch.nn.functional as F
from torch import Tensor

from export.on_texture import DARK, OnTexture
from export.texture import SIDE, not_grey

WIDTHS = (32, 64, 96, 128)
MOST = 1.2  # of a change, as a logarithm


class EvenLight(OnTexture):
    """Texture [B, 3, 192, 192] in 0..1 to the change [B, 3, 48, 48] of its light that evens it: the logarithm of a factor on colours, red first.
    The layers see the shadows that are to go."""

    def __init__(self) -> None:
        super().__init__(WIDTHS, 3)

    def forward(self, texture: Tensor) -> Tensor:
        return MOST * torch.tanh(super().forward(texture) / MOST)


def changed(texture: Tensor, changes: Tensor) -> Tensor:
    """A texture [B, 3, 192, 192] in 0..1 whose colours are multiplied by the exponential of `changes` [B, 3, k, k], smoothly enlarged; what is grey
    since nobody is there stays so."""
    factor = F.interpolate(changes, (SIDE, SIDE), mode="bilinear", align_corners=False).exp()
    own = (2 * not_grey(texture * 2 - 1) - 1).clamp(0, 1)
    return texture + own * (((texture + DARK) * factor - DARK).clamp(0, 1) - texture)

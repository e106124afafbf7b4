"""What a portrait shows, pixel by pixel: face parsing, by a U-Net (Ronneberger et al. 2015)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.families import PARSED
from export.on_texture import Block

WIDTHS = (24, 32, 48, 64, 96)


class _Block(Block):
    """[B, given, H, W] to [B, width, H / stride, W / stride]; what is added passes through the second convolution alone."""

    def forward(self, features: Tensor) -> Tensor:
        features = F.silu(self.norm(self.first(features)))
        return features + F.silu(self.second(features))


class FaceParsing(nn.Module):
    """Picture [B, 3, H, W] in -1..1 to shares [B, 8, H, W] in 0..1 of PARSED; of every pixel they sum to 1. H and W are multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = _Block(3 * 4, WIDTHS[0])  # cells of 2 x 2 pixels
        self.down = nn.ModuleList(_Block(a, b, 2) for a, b in pairwise(WIDTHS))
        self.middle = _Block(WIDTHS[-1], WIDTHS[-1])
        self.up = nn.ModuleList(_Block(a + b, a) for a, b in pairwise(WIDTHS))
        self.leave = nn.Conv2d(WIDTHS[0], 4 * len(PARSED), 3, 1, 1)

    def scores(self, picture: Tensor) -> Tensor:
        """[B, 8, H, W]: their softmax is `forward`."""
        features = self.enter(F.pixel_unshuffle(picture, 2))
        kept = [features]
        for block in self.down:
            kept.append(block(kept[-1]))
        features = self.middle(kept.pop())
        for block in reversed(self.up):
            features = block(torch.cat([F.interpolate(features, scale_factor=2.0, mode="nearest"), kept.pop()], 1))
        return F.pixel_shuffle(self.leave(features), 2)

    def forward(self, picture: Tensor) -> Tensor:
        return self.scores(picture).softmax(1)

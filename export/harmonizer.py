"""A picture with a face pasted in, and where, to a picture without the border. Small, in pixels, and local by construction."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

REACH = 16  # pixels to both sides of the mask's border that may change


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)  # type: ignore[no-any-return]


class Harmonizer(nn.Module):
    """Composite [B, 3, H, W] in -1..1 and mask [B, 1, H, W] (1 where pasted) to the fused picture [B, 3, H, W] in -1..1.

    Beyond REACH pixels from the mask's border, in it and outside, it returns what it was given, to the bit. H and W are multiples of 32.
    """

    def __init__(self, widths: tuple[int, ...] = (48, 64, 96, 128)) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * 16, widths[0], 3, 1, 1)  # cells of 4 x 4 pixels
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(widths))
        self.first = nn.ModuleList(_Block(width) for width in widths)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, 1, 1) for a, b in pairwise(widths))
        self.second = nn.ModuleList(_Block(width) for width in widths)
        self.leave = nn.Conv2d(widths[0], 6 * 16, 3, 1, 1)  # gain and offset of every pixel
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, composite: Tensor, mask: Tensor) -> Tensor:
        features = self.enter(F.pixel_unshuffle(torch.cat([composite, mask], 1), 4))
        kept = []
        for level, block in enumerate(self.first):
            features = block(features if level == 0 else self.down[level - 1](features))
            kept.append(features)
        for level in reversed(range(len(self.second))):
            if level < len(self.second) - 1:
                features = kept[level] + F.interpolate(self.up[level](features), scale_factor=2.0, mode="nearest")
            features = self.second[level](features)
        gain, offset = F.pixel_shuffle(self.leave(features), 4).chunk(2, 1)
        return composite + near_border(mask) * (gain * composite + offset)


def near_border(mask: Tensor) -> Tensor:
    """[B, 1, H, W]: 1 at the mask's border, falling to 0 at REACH pixels from it to both sides."""
    return within_reach(mask) * within_reach(1 - mask)


def within_reach(mask: Tensor) -> Tensor:
    """[B, 1, H, W]: 1 in the mask, falling to 0 at REACH pixels from it."""
    grown = F.max_pool2d(mask, REACH + 1, 1, REACH // 2)
    return F.avg_pool2d(grown, REACH + 1, 1, REACH // 2, count_include_pad=False)

"""Convolutions with skips over a head's texture: what even light and clothes are read by."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.somebody import not_grey
from export.texture import SIDE

SEEN = SIDE // 2  # pixels, side of the texture as the layers see it
DARK = 0.03  # 0..1, added to colours before their logarithm is taken
USUAL = -1.5  # about the mean of that


class Block(nn.Module):
    """Two convolutions, the second added to the first; the first may halve the side."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(given, width, 3, stride, 1), nn.GroupNorm(8, width)
        self.second = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        features = F.gelu(self.norm(self.first(features)))
        return F.gelu(features + self.second(features))


class OnTexture(nn.Module):
    """Texture [B, 3, 192, 192] in 0..1 to `leaves` numbers for each of 48 x 48 places [B, leaves, 48, 48], 0 at first. `widths`: channels at 48, 24,
    12 and 6 cells."""

    where: Tensor  # [1, 2, 96, 96]

    def __init__(self, widths: tuple[int, int, int, int], leaves: int) -> None:
        super().__init__()
        line = (torch.arange(SEEN) + 0.5) / (SEEN / 2) - 1
        self.register_buffer("where", torch.stack(torch.meshgrid(line, line, indexing="xy"))[None], persistent=False)
        one, two, three, four = widths
        self.down = nn.ModuleList((Block(6, one, 2), Block(one, two, 2), Block(two, three, 2), Block(three, four, 2)))
        self.middle = Block(four, four)
        self.up = nn.ModuleList((Block(four + three, three), Block(three + two, two), Block(two + one, one)))
        self.leave = nn.Conv2d(one, leaves, 3, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, texture: Tensor) -> Tensor:
        own, colour = (F.avg_pool2d(one, SIDE // SEEN) for one in (not_grey(texture * 2 - 1), texture))
        features = torch.cat([(colour + DARK).log() - USUAL, own, self.where.expand(texture.shape[0], -1, -1, -1)], 1)
        kept = []
        for block in self.down:
            features = block(features)
            kept.append(features)
        features = self.middle(kept.pop())
        for block, skipped in zip(self.up, reversed(kept), strict=True):
            features = block(torch.cat([F.interpolate(features, scale_factor=2.0, mode="nearest"), skipped], 1))
        return self.leave(features)  # type: ignore[no-any-return]

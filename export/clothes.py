"""What on a head's texture is worn on the body: all else that is somebody's, hair as far as it falls and the neck, goes with the head."""

import torch.nn.functional as F
from torch import Tensor, nn

from export.on_texture import OnTexture
from export.texture import SIDE

WIDTHS = (16, 24, 32, 48)
FIRST_SCORE = 4.0  # of everything


class Clothes(OnTexture):
    """Texture [B, 3, 192, 192] in 0..1 to scores [B, 1, 192, 192] of its places, above 0 for clothes. Untrained it takes everything for clothes."""

    def __init__(self) -> None:
        super().__init__(WIDTHS, 1)
        nn.init.constant_(self.leave.bias, FIRST_SCORE)  # type: ignore[arg-type]

    def forward(self, texture: Tensor) -> Tensor:
        return F.interpolate(super().forward(texture), (SIDE, SIDE), mode="bilinear", align_corners=False)

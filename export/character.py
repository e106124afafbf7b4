"""Invented people: normal noise to a face that varies as people's do."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.families import MARKS, FaceShape
from export.texture import in_ellipse

HALF = 2  # times smaller than a texture is what the components say of it


class Character(nn.Module):
    """Noise [B, n] to identity [B, 128] of unit length, appearance [B, 98, 256], shape [B, 468, 3] and texture [B, 3, 192, 192]: a mean and principal
    components of all four; the texture at half its side, and only of the head without long hair: what lies beside it is a haze of many people's hair.

    Face0 (Valevski et al. 2023) has a fixed random face vector as a consistent character, and does not say how it is drawn.
    """

    mean: Tensor  # [D]
    head: Tensor  # [1, 1, 192, 192] in 0..1

    def __init__(self, face: FaceShape) -> None:
        super().__init__()
        self._widths = [face.identity, face.appearance_tokens * face.appearance, MARKS * 3, 3 * (face.texture // HALF) ** 2]
        self._tokens = (face.appearance_tokens, face.appearance)
        self._sides = (face.texture // HALF,) * 2
        self.register_buffer("mean", torch.full((sum(self._widths),), 0.1))
        line = (torch.arange(face.texture) + 0.5) / face.texture
        self.register_buffer("head", in_ellipse(torch.stack(torch.meshgrid(line, line, indexing="xy"))[None]), persistent=False)
        self.ways = nn.Parameter(torch.randn(face.character, sum(self._widths)) * 0.01, requires_grad=False)  # [n, D], as far as one deviation goes

    def forward(self, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        identity, appearance, shape, small = torch.split(self.mean + noise @ self.ways, self._widths, 1)
        texture = F.interpolate(small.reshape(-1, 3, *self._sides), scale_factor=float(HALF), mode="bilinear", align_corners=False).clamp(0, 1)
        texture = 0.5 + self.head * (texture - 0.5)
        return F.normalize(identity, dim=1), appearance.reshape(-1, *self._tokens), shape.reshape(-1, MARKS, 3), texture

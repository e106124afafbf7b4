"""The pictures that ControlNets look at, drawn in the graph, so that training and every server draw the same."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0))  # eyes, nose, mouth corners; the viewer's left first
NOSE = 2
LIMB_BRIGHTNESS = 0.6
DISC, LIMB = 10 / 1024, 4 / 1024  # radii, shares of the side. InstantID draws them on 1024 pixels
SOFT_CELLS = 16


class PosePicture(nn.Module):
    """Five keypoints [B, 5, 2] (x, y in 0..1 of the side) to a drawing [B, 3, size, size] in 0..1: discs, and limbs to the nose, as InstantID's."""

    grid: Tensor  # [1, size, size, 2]
    colours: Tensor  # [5, 3]

    def __init__(self, size: int, *, boldness: float = 2.0) -> None:
        """`boldness`: how many times wider than InstantID's, for small pictures."""
        super().__init__()
        self.disc, self.limb, self.edge = DISC * boldness, LIMB * boldness, 1 / size
        line = (torch.arange(size) + 0.5) / size
        self.register_buffer("grid", torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None], persistent=False)
        self.register_buffer("colours", torch.tensor(COLOURS), persistent=False)

    def forward(self, keypoints: Tensor) -> Tensor:
        picture = torch.zeros_like(keypoints[:, :1, :1, None]).expand(-1, 3, self.grid.shape[1], self.grid.shape[2])
        nose = keypoints[:, NOSE, None, None]
        for point in (0, 1, 3, 4):
            start = keypoints[:, point, None, None]
            along = nose - start
            share = ((self.grid - start) * along).sum(-1, keepdim=True) / (along.square().sum(-1, keepdim=True) + 1e-8)
            nearest = start + share.clamp(0, 1) * along
            picture = self._over(picture, nearest, self.limb, self.colours[point] * LIMB_BRIGHTNESS)
        for point in range(len(COLOURS)):
            picture = self._over(picture, keypoints[:, point, None, None], self.disc, self.colours[point])
        return picture

    def _over(self, picture: Tensor, middle: Tensor, radius: float, colour: Tensor) -> Tensor:
        """The picture with a soft-edged spot round `middle` painted over it."""
        distance = (self.grid - middle).square().sum(-1).add(1e-12).sqrt()
        cover = ((radius - distance) / self.edge + 0.5).clamp(0, 1)[:, None]
        return picture * (1 - cover) + colour[:, None, None] * cover


class SoftPicture(nn.Module):
    """A picture [B, 3, H, W] in 0..1 to one of the same size that keeps light, colour and soft shape only: 16 x 16 cells, smoothly enlarged."""

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        cells = F.avg_pool2d(picture, (height // SOFT_CELLS, width // SOFT_CELLS))
        return self.enlarged(cells, height)

    @staticmethod
    def enlarged(cells: Tensor, size: int) -> Tensor:
        """[B, 3, 16, 16] -> [B, 3, size, size]."""
        return F.interpolate(cells, (size, size), mode="bilinear", align_corners=False)

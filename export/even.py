"""A head without its photo's own light: shadows and tints go, who it is stays."""

import torch
import torch.nn.functional as F
from torch import Tensor

from export.mean_face import OVAL, mean_face
from export.on_texture import DARK, SEEN, OnTexture
from export.somebody import not_grey
from export.texture import MIDDLE, SIDE, SPAN

WIDTHS = (32, 64, 96, 128)
MOST = 1.2  # of a change, as a logarithm
TINTED, TINTED_BESIDE = 0.08, 0.02  # as a logarithm, how far a colour's change at a place in the face, or beside it, may be from the whole head's
EDGE = 0.3  # of the square of a face's size, over which its outline is soft


class EvenLight(OnTexture):
    """Texture [B, 3, 192, 192] in 0..1 to the change [B, 3, 48, 48] of its light that evens it: the logarithm of a factor on colours, red first.
    The layers see the shadows that are to go."""

    tinted: Tensor  # [1, 1, 48, 48]

    def __init__(self) -> None:
        super().__init__(WIDTHS, 3)
        share = in_face(SEEN // 2)[None, None]
        self.register_buffer("tinted", TINTED_BESIDE + share * (TINTED - TINTED_BESIDE), persistent=False)

    def forward(self, texture: Tensor) -> Tensor:
        changes = MOST * torch.tanh(super().forward(texture) / MOST)
        return nearly_one_tint(changes, F.avg_pool2d(not_grey(texture * 2 - 1), SIDE // changes.shape[3]), self.tinted)

    def both_ways(self, texture: Tensor) -> Tensor:
        """[B, 3, 48, 48]: the mean of what is told of textures and of their mirror images, so that neither side has stripes of its own."""
        return (self(texture) + self(texture.flip(3)).flip(3)) / 2  # type: ignore[no-any-return]


def nearly_one_tint(changes: Tensor, own: Tensor, most: Tensor) -> Tensor:
    """Changes of light [B, 3, k, k] that are as bright as they were everywhere, and of a colour that is nowhere much farther than `most`
    [1, 1, k, k] from that which they have where somebody is in the mean, `own` [B, 1, k, k] in 0..1. Shadows have hardly a colour of their own;
    what the layers give some, at outlines and in hair, was seen as red and green stripes."""
    bright = changes.mean(1, keepdim=True)
    tint = ((changes - bright) * own).sum((2, 3), keepdim=True) / own.sum((2, 3), keepdim=True).clamp_min(1)
    other = torch.minimum(torch.maximum(changes - bright - tint, -most), most)
    return bright + tint + other - other.mean(1, keepdim=True)


def in_face(cells: int) -> Tensor:
    """[cells, cells] in 0..1: which cells of a texture are in the face, about an ellipse round the mean one's outline."""
    line = ((torch.arange(cells) + 0.5) / cells - 0.5) * SPAN
    outline = mean_face()[list(OVAL), :2]
    middle, half = (outline.amax(0) + outline.amin(0)) / 2, (outline.amax(0) - outline.amin(0)) / 2
    across, down = ((line + MIDDLE[axis] - middle[axis]) / half[axis] for axis in (0, 1))
    return ((1 + EDGE - across[None].square() - down[:, None].square()) / EDGE).clamp(0, 1)


def changed(texture: Tensor, changes: Tensor) -> Tensor:
    """A texture [B, 3, 192, 192] in 0..1 whose colours are multiplied by the exponential of `changes` [B, 3, k, k], smoothly enlarged; what is grey
    since nobody is there stays so."""
    factor = F.interpolate(changes, (SIDE, SIDE), mode="bilinear", align_corners=False).exp()
    own = (2 * not_grey(texture * 2 - 1) - 1).clamp(0, 1)
    return texture + own * (((texture + DARK) * factor - DARK).clamp(0, 1) - texture)

"""In which light a head is, from words: its texture in the light that they ask for."""

import torch.nn.functional as F
from torch import Tensor

from export.even import EvenLight, changed
from export.on_texture import DARK
from export.somebody import somebody
from export.texture import SIDE
from export.ways import Ways

COUNT = 16  # ways
CELLS = 12  # of a head's light, per side
MOST = 1.0  # of a change, as a logarithm


def colours(texture: Tensor) -> tuple[Tensor, Tensor]:
    """Of textures [B, 3, 192, 192] in 0..1: the logarithm of the mean colour of somebody in every cell, red first, and 1 where the cell is mostly
    somebody's, else 0; both [B, 432]."""
    whose = somebody(texture * 2 - 1)
    share = F.avg_pool2d(whose, SIDE // CELLS)
    colour = F.avg_pool2d(texture * whose, SIDE // CELLS) / share.clamp_min(1e-3)
    return (colour + DARK).log().flatten(1), (share > 0.5).to(texture.dtype).expand(-1, 3, -1, -1).flatten(1)


class FaceLight(Ways):
    """Texture [B, 3, 192, 192] in 0..1, states [B, 77, 384], mask [B, 77] and light scale [B] to a texture like it: the same head in the light of the
    words, or in a usual one where they say nothing of it. A scale of 0 leaves the texture as it is.

    The photo's own light is taken away first (`export/even.py`). Light is a factor on colours that changes slowly from place to place; what is grey
    since nobody is there stays so.
    """

    def __init__(self, states: int = 384) -> None:
        super().__init__(3 * CELLS**2, COUNT, states)
        self.even = EvenLight()

    def light(self, texture: Tensor) -> Tensor:
        """[B, 432]: the logarithm of the mean colour of every cell, red first; the `mean` of all heads where a cell is mostly nobody's."""
        found, own = colours(texture)
        return self.mean + own * (found - self.mean)

    def forward(self, texture: Tensor, states: Tensor, mask: Tensor, light_scale: Tensor) -> Tensor:
        scale = light_scale[:, None, None, None]
        even = changed(texture, scale * self.even.both_ways(texture))
        changes = self.changes(self.light(even), states, mask).reshape(-1, 3, CELLS, CELLS)
        return changed(even, (scale * changes).clamp(-MOST, MOST))

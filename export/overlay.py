"""What words put over a head: an open mouth's inside, closed lids, glasses, a hat."""

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.texture import SIDE
from export.ways import HIDDEN, READ, Reading

LAYERS: dict[str, tuple[str, ...]] = {
    "mouth": ("open_mouth",),
    "left_lid": ("left_lid",),
    "right_lid": ("right_lid",),
    "glasses": ("round", "rectangular", "oval", "square", "sunglasses"),
    "hat": ("beanie", "fedora", "headband", "headscarf"),
}
"""Layers from the skin outwards, each with its kinds. Left and right are the viewer's."""
MOUTH, LIDS, COLOURED = "mouth", ("left_lid", "right_lid"), ("glasses", "hat")
"""Layers of the skin's own colour, and those of the words'."""
BARE = "hat"
"""The layer that hides hair which would stick out beyond it."""
PLACES = SIDE**2
SURELY = (0.35, 0.65)
"""What the words ask for less likely than the first is not there, and what likelier than the second wholly is."""
DECIDED = 4.0  # times the scores of kinds: one is chosen, rather than mixed
ROUND = (9, 21)  # pixels of lids made larger: the skin whose colour they have lies between
GREY = 0.5  # of nobody, in 0..1


class Layer(nn.Module):
    """One of LAYERS. Of every kind how much of every place it hides, in 0..1, and its shade there, the logarithm of its brightness over that of its
    colour; both the mean of rendered heads. `bare`: where nobody is any more, in 0..1."""

    def __init__(self, name: str) -> None:
        super().__init__()
        kinds = len(LAYERS[name])
        self.cover, self.shade = _maps(kinds), _maps(kinds)
        if name == BARE:
            self.bare = _maps(kinds)
        self.which = nn.Linear(HIDDEN, 1 + kinds)
        if name in COLOURED:
            self.colour = nn.Linear(HIDDEN, 3)


def _maps(kinds: int) -> nn.Parameter:
    """[kinds, 36864]: 192 x 192 places. They are measured, not trained."""
    return nn.Parameter(torch.zeros(kinds, PLACES), requires_grad=False)


class FaceOverlay(Reading):
    """Texture [B, 3, 192, 192] in 0..1, states [B, 77, 384], mask [B, 77] and overlay scale [B] to a texture like it: the same head with what the
    words put over it. A scale of 0 leaves the texture as it is. An open mouth's inside is as narrow here as between closed lips; the shape of the
    words opens it. Who wears glasses or a hat keeps them; lids close in front of
    sunglasses, too."""

    def __init__(self, states: int = 384) -> None:
        super().__init__(states)
        self.hear = nn.Sequential(nn.Linear(READ, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU())
        self.over = nn.ModuleDict({name: Layer(name) for name in LAYERS})
        convolutions = [(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.GELU()) for a, b in pairwise((3, 16, 24, 32, 32))]
        seen = 32 * (SIDE // 32) ** 2
        self.look = nn.Sequential(*(layer for layers in convolutions for layer in layers), nn.Flatten(), nn.Linear(seen, len(COLOURED)))

    def layer(self, name: str) -> Layer:
        return cast(Layer, self.over[name])

    def asked(self, states: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """By layer, the scores of nothing and of each kind [B, 1 + kinds], and the colour of those of COLOURED [B, 3] in 0..1."""
        heard = self.hear(self.read(states, mask))
        colours = {name: self.layer(name).colour(heard).sigmoid() for name in COLOURED}
        return {name: self.layer(name).which(heard) for name in LAYERS}, colours

    def has(self, texture: Tensor) -> Tensor:
        """[B, 2]: scores of what a head wears already, in the order of COLOURED."""
        return self.look(F.avg_pool2d(texture, 2) - GREY)  # type: ignore[no-any-return]

    def forward(self, texture: Tensor, states: Tensor, mask: Tensor, overlay_scale: Tensor) -> Tensor:
        scores, colours = self.asked(states, mask)
        free = 1 - surely(self.has(texture).sigmoid())
        for name in LAYERS:
            layer = self.layer(name)
            share = overlay_scale[:, None] * surely(1 - scores[name].softmax(1)[:, :1])
            if name in COLOURED:
                place = COLOURED.index(name)
                share = share * free[:, place : place + 1]
            kinds = (DECIDED * scores[name][:, 1:]).softmax(1)
            if name == BARE:
                texture = texture + laid(share * kinds, layer.bare) * (GREY - texture)
            colour = colours[name] if name in colours else skin(texture, layer.cover)
            paint = (colour[..., None, None] * laid(kinds, layer.shade).exp()).clamp(0, 1)
            texture = texture + laid(share * kinds, layer.cover) * (paint - texture)
        return texture


def surely(share: Tensor) -> Tensor:
    """0..1: shares of likeliness made into decisions."""
    least, most = SURELY
    return ((share - least) / (most - least)).clamp(0, 1)


def laid(shares: Tensor, maps: Tensor) -> Tensor:
    """[B, 1, 192, 192]: maps [k, 36864] in shares [B, k]."""
    return (shares @ maps).reshape(-1, 1, SIDE, SIDE)


def skin(texture: Tensor, lid: Tensor) -> Tensor:
    """[B, 3]: the mean colour of textures [B, 3, 192, 192] round a lid [1, 36864]."""
    near, far = (F.max_pool2d(lid.reshape(1, 1, SIDE, SIDE), side, 1, side // 2) for side in ROUND)
    round_it = far - near
    return (texture * round_it).sum((2, 3)) / round_it.sum().clamp_min(1e-3)

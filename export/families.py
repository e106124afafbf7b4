"""What makes a family: the shapes of its networks, as data. Standard library only."""

from dataclasses import dataclass
from typing import Literal

from export.tensors import Axis


@dataclass(frozen=True)
class UnetShape:
    """`channels` from the finest level down, with `heads` and `attention` of each.

    `patch`: how many cells by how many the UNet takes as one of its own; `pooled`: whether the contexts' values, summed over their tokens, also
    go in with the step.
    """

    latent_channels: int = 8
    channels: tuple[int, ...] = (64, 128, 256)
    heads: tuple[int, ...] = (2, 4, 8)
    attention: tuple[bool, ...] = (False, True, True)
    layers_per_block: int = 1
    norm_groups: int = 16
    text_width: int = 384
    patch: int = 1
    pooled: bool = False

    def attention_widths(self, *, whole: bool) -> tuple[int, ...]:
        """Widths of the cross-attention layers: down blocks, then (of the whole UNet, not of a ControlNet) up blocks, then the middle."""
        down = [width for width, on in zip(self.channels, self.attention, strict=True) if on for _ in range(self.layers_per_block)]
        up = [width for width, on in reversed(list(zip(self.channels, self.attention, strict=True))) if on for _ in range(self.layers_per_block + 1)]
        return (*down, *(up if whole else ()), self.channels[-1])

    def kv_width(self, *, whole: bool) -> int:
        """S: keys and values of all cross-attention layers side by side."""
        return 2 * sum(self.attention_widths(whole=whole))

    def residuals(self) -> tuple[tuple[int, int], ...]:
        """(channels, how many times coarser than the latents) of what a ControlNet adds: the way in, the down blocks, the middle."""
        found = [(self.channels[0], self.patch)]
        for level, width in enumerate(self.channels):
            found += [(width, self.patch * 2**level)] * self.layers_per_block
            if level < len(self.channels) - 1:
                found.append((width, self.patch * 2 ** (level + 1)))
        return (*found, (self.channels[-1], self.patch * 2 ** (len(self.channels) - 1)))


@dataclass(frozen=True)
class AutoencoderShape:
    """Channels and residual blocks from full resolution down; every level halves the side. The defaults are the mini family's."""

    latent_channels: int = 8
    encoder_channels: tuple[int, ...] = (24, 48, 64, 128)
    encoder_blocks: tuple[int, ...] = (0, 1, 2, 2)
    decoder_channels: tuple[int, ...] = (24, 48, 96, 192)
    decoder_blocks: tuple[int, ...] = (1, 2, 2, 3)


@dataclass(frozen=True)
class FaceShape:
    """What is known of a face, and how many tokens each system makes of it."""

    crop: int = 112  # pixels, side of the aligned face
    identity: int = 128
    appearance_tokens: int = 98
    appearance: int = 256
    face0_tokens: int = 3
    makeup_tokens: int = 4
    cross_tokens: int = 16  # and so `id_kv` has as many
    character: int = 48  # numbers that an invented person is drawn from


@dataclass(frozen=True)
class Family:
    """A set of networks, told by their shapes."""

    name: str
    size: int  # pixels, side of a portrait
    text_tokens: int
    unet: UnetShape
    autoencoder: AutoencoderShape
    face: FaceShape
    batch: Axis
    schedule: str  # of the noise, as the sampler names them
    prediction: Literal["v", "epsilon"]  # what the UNet says
    preview: tuple[tuple[float, float, float], ...]  # what a latent channel adds to red, green, blue in -1..1; last, what they are without any

    @property
    def latent_side(self) -> int:
        """Cells; every level of the autoencoder but the first halves the side."""
        return self.size // int(2 ** (len(self.autoencoder.encoder_channels) - 1))


# least squares over 96 rendered people, against the decoder's mean colours of every cell (`python -m measure.preview`); of people nobody
# trained on they tell .946 of the variance, 10 of 255 off on average
MINI_PREVIEW = (
    (-0.0747, 0.0572, 0.1130),
    (-0.0690, 0.0341, 0.0916),
    (0.0343, -0.0677, -0.0216),
    (-0.0786, -0.0288, -0.0484),
    (0.0116, 0.0376, -0.0620),
    (0.0266, 0.0165, 0.0216),
    (-0.4258, -0.3760, -0.3757),
    (-0.0417, -0.0776, -0.0192),
    (0.0511, -0.0977, -0.1336),
)

FAMILIES = {
    "mini": Family(
        name="mini",
        size=256,
        text_tokens=77,
        unet=UnetShape(channels=(128, 256), heads=(4, 8), attention=(True, True), patch=2, pooled=True),
        autoencoder=AutoencoderShape(),
        face=FaceShape(),
        batch=Axis("batch", 1, 2, 16),
        schedule="cosine",
        prediction="v",
        preview=MINI_PREVIEW,
    )
}

"""What makes a family: the shapes of its networks, as data. Standard library only."""

from dataclasses import dataclass, replace
from typing import Literal

from export.tensors import Axis, DType

Precision = Literal["fp16", "fp32"]
MARKS = 468  # of MediaPipe on a face
PARSED = ("background", "skin", "hair", "beard", "clothes", "glasses", "hat", "earring")
"""What face parsing tells apart; eyes, brows, lips and what is between those are skin."""
SIZES = 6  # of SDXL: the original height and width, the crop's top and left, the height and width that are wanted


@dataclass(frozen=True)
class UnetShape:
    """`channels` from the finest level down, with `heads` and `attention` of each.

    `patch`: how many cells by how many the UNet takes as one of its own; `pooled`: whether the contexts' values, summed over their tokens, also
    go in with the step. `depth`: transformer blocks of a layer, at each level (none given: one). `vector`: width of what is known of all words
    together, which goes in with the step and SIZES numbers (0: nothing does). `linear`, `scale_shift`: as diffusers' `use_linear_projection` and
    `resnet_time_scale_shift`.
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
    depth: tuple[int, ...] = ()
    vector: int = 0
    linear: bool = True
    scale_shift: bool = True
    condition_channels: tuple[int, ...] = ()  # of a ControlNet, from the picture's size down to the cells; none given: by the patch

    @property
    def depths(self) -> tuple[int, ...]:
        """Transformer blocks of a layer at each level."""
        return self.depth or (1,) * len(self.channels)

    def attention_widths(self, *, whole: bool) -> tuple[int, ...]:
        """Widths of the cross-attention layers: down blocks, then (of the whole UNet, not of a ControlNet) up blocks, then the middle."""
        levels = [(width, depth) for width, on, depth in zip(self.channels, self.attention, self.depths, strict=True) if on]
        down = [width for width, depth in levels for _ in range(self.layers_per_block * depth)]
        up = [width for width, depth in reversed(levels) for _ in range((self.layers_per_block + 1) * depth)]
        return (*down, *(up if whole else ()), *[self.channels[-1]] * self.depths[-1])

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
class KlShape:
    """Of diffusers' AutoencoderKL: channels from full resolution down, residual blocks of a level; latents are multiplied by `scaling`."""

    latent_channels: int = 4
    encoder_channels: tuple[int, ...] = (128, 256, 512, 512)
    blocks: int = 2
    norm_groups: int = 32
    scaling: float = 0.18215
    precision: Precision = "fp16"


@dataclass(frozen=True)
class ClipShape:
    """A transformer of CLIP (Radford et al. 2021), of words or (with `patch`, pixels) of pictures; `projection`: width of its vector, 0 for none."""

    width: int
    layers: int
    heads: int
    activation: Literal["quick_gelu", "gelu"]
    projection: int = 0
    patch: int = 0
    vocabulary: int = 49408
    picture: int = 224  # pixels


@dataclass(frozen=True)
class FaceShape:
    """What is known of a face, and how many tokens each system makes of it. `unit`: whether the identity vector is of unit length."""

    crop: int = 112  # pixels, side of the aligned face
    unit: bool = True
    resampler: tuple[int, int] = (1280, 20)  # width and heads of the resampler that makes sixteen tokens (of published families)
    stages: tuple[int, ...] = (3, 13, 30, 3)  # residual blocks of the identity encoder (of published families)
    identity: int = 128
    appearance_tokens: int = 98
    appearance: int = 256
    face0_tokens: int = 3
    makeup_tokens: int = 4
    cross_tokens: int = 16  # and so `id_kv` has as many
    texture: int = 192  # pixels, side of the mini family's
    character: int = 48  # numbers that an invented person is drawn from


@dataclass(frozen=True)
class Family:
    """A set of networks, told by their shapes."""

    name: str
    size: int  # pixels, side of a portrait
    text_tokens: int
    unet: UnetShape
    autoencoder: AutoencoderShape | KlShape
    face: FaceShape
    batch: Axis
    schedule: str  # of the noise, as the sampler names them
    prediction: Literal["v", "epsilon"]  # what the UNet says
    preview: tuple[tuple[float, float, float], ...] = ()  # what a latent channel adds to red, green, blue in -1..1; last, what they are without any
    systems: tuple[str, ...] = ("face0", "face_makeup", "crossfaceid")  # that have a context
    clip: tuple[ClipShape, ...] = ()  # encoders of the words; none: MiniLM, with a mask
    looks: ClipShape | None = None  # encoder of the aligned face, where it is CLIP's
    safety: ClipShape | None = None  # encoder of finished pictures, for the safety checker
    between: DType = "fp32"  # of tensors that only networks see: keys, values, residuals

    @property
    def published(self) -> bool:
        """Whether weights are brought by the user, not trained here."""
        return bool(self.clip)

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
CLIP_L = ClipShape(width=768, layers=12, heads=12, activation="quick_gelu")
CLIP_BIG_G = ClipShape(width=1280, layers=32, heads=20, activation="gelu", projection=1280)
CLIP_H = ClipShape(width=1280, layers=32, heads=16, activation="gelu", projection=1024, patch=14)
CLIP_L_PICTURES = ClipShape(width=1024, layers=24, heads=16, activation="quick_gelu", projection=768, patch=14)
PUBLISHED_CONDITION = (16, 32, 96, 256)

MINI = Family(
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
SD15 = Family(
    name="sd15",
    size=512,
    text_tokens=77,
    unet=UnetShape(
        latent_channels=4,
        channels=(320, 640, 1280, 1280),
        heads=(8, 8, 8, 8),
        attention=(True, True, True, False),
        layers_per_block=2,
        norm_groups=32,
        text_width=768,
        linear=False,
        scale_shift=False,
        condition_channels=PUBLISHED_CONDITION,
    ),
    autoencoder=KlShape(),
    face=FaceShape(identity=512, appearance_tokens=257, appearance=1280, resampler=(768, 12)),
    batch=Axis("batch", 1, 2, 8),
    schedule="scaled_linear",
    prediction="epsilon",
    systems=("face0", "face_makeup", "faceid", "faceid_plus", "ip_adapter", "ip_adapter_plus"),
    clip=(CLIP_L,),
    looks=CLIP_H,
    safety=CLIP_L_PICTURES,
    between="fp16",
)
SDXL = replace(
    SD15,
    name="sdxl",
    size=1024,
    unet=UnetShape(
        latent_channels=4,
        channels=(320, 640, 1280),
        heads=(5, 10, 20),
        attention=(False, True, True),
        layers_per_block=2,
        norm_groups=32,
        text_width=2048,
        depth=(1, 2, 10),
        vector=1280,
        scale_shift=False,
        condition_channels=PUBLISHED_CONDITION,
    ),
    autoencoder=KlShape(scaling=0.13025, precision="fp32"),  # the published one overflows half precision
    face=replace(SD15.face, unit=False, resampler=(1280, 20)),
    batch=Axis("batch", 1, 2, 4),
    systems=("face_makeup", "crossfaceid", "faceid", "faceid_plus", "ip_adapter", "ip_adapter_plus"),
    clip=(CLIP_L, CLIP_BIG_G),
)
FAMILIES = {family.name: family for family in (MINI, SD15, SDXL)}

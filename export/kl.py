"""Pictures to latents and back, as Stable Diffusion and SDXL do it: diffusers' AutoencoderKL."""

from diffusers import AutoencoderKL
from torch import Tensor, nn

from export.families import KlShape


def plain_autoencoder(shape: KlShape) -> AutoencoderKL:
    """diffusers' own network of that shape."""
    levels = len(shape.encoder_channels)
    return AutoencoderKL(
        latent_channels=shape.latent_channels,
        block_out_channels=shape.encoder_channels,
        layers_per_block=shape.blocks,
        norm_num_groups=shape.norm_groups,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        scaling_factor=shape.scaling,
    )


class KlEncoder(nn.Module):
    """[B, 3, H, W] in -1..1 to latents [B, C, H/8, W/8]: the middle of what they may be, nothing drawn."""

    def __init__(self, network: AutoencoderKL) -> None:
        super().__init__()
        self.encoder, self.leave, self.scaling = network.encoder, network.quant_conv, network.config["scaling_factor"]

    def forward(self, picture: Tensor) -> Tensor:
        return self.leave(self.encoder(picture)).chunk(2, 1)[0] * self.scaling  # type: ignore[no-any-return]


class KlDecoder(nn.Module):
    """[B, C, h, w] to [B, 3, 8h, 8w], about -1..1, not clipped."""

    def __init__(self, network: AutoencoderKL) -> None:
        super().__init__()
        self.decoder, self.enter, self.scaling = network.decoder, network.post_quant_conv, network.config["scaling_factor"]

    def forward(self, latent: Tensor) -> Tensor:
        return self.decoder(self.enter(latent / self.scaling))  # type: ignore[no-any-return]

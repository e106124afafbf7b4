"""Pictures to latents and back. Residual blocks only (diffusers' deep-compression autoencoder, Chen et al. 2024, without its attention)."""

import torch
from diffusers import AutoencoderDC
from torch import Tensor, nn

from export.families import AutoencoderShape


class Autoencoder(nn.Module):
    """`encode` and `decode` between pictures [B, 3, H, W] in -1..1 and latents [B, C, H/8, W/8] of mean 0 and deviation 1 per channel.

    The latents' mean and deviation are measured after training and kept with the weights.
    """

    latent_mean: Tensor  # [C]
    latent_std: Tensor  # [C]

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        no_attention = ((),) * len(shape.encoder_channels)
        self.network = AutoencoderDC(
            latent_channels=shape.latent_channels,
            encoder_block_out_channels=shape.encoder_channels,
            encoder_layers_per_block=shape.encoder_blocks,
            decoder_block_out_channels=shape.decoder_channels,
            decoder_layers_per_block=shape.decoder_blocks,
            encoder_qkv_multiscales=no_attention,
            decoder_qkv_multiscales=no_attention,
        )
        self.register_buffer("latent_mean", torch.zeros(shape.latent_channels))
        self.register_buffer("latent_std", torch.ones(shape.latent_channels))

    def encode(self, picture: Tensor) -> Tensor:
        """[B, 3, H, W] in -1..1 -> [B, C, H/8, W/8]."""
        latent: Tensor = self.network.encode(picture).latent
        return (latent - self.latent_mean[:, None, None]) / self.latent_std[:, None, None]

    def decode(self, latent: Tensor) -> Tensor:
        """[B, C, h, w] -> [B, 3, 8h, 8w], about -1..1, not clipped."""
        picture: Tensor = self.network.decode(latent * self.latent_std[:, None, None] + self.latent_mean[:, None, None]).sample
        return picture

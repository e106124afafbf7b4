"""A ControlNet (Zhang et al. 2023) beside the UNet: a picture of what is wanted to what is added to the UNet's features."""

import torch
import torch.nn.functional as F
from diffusers import ControlNetModel
from torch import Tensor, nn

from export.families import UnetShape
from export.unet import Unet, added_conditions, cross_attentions, diffusers_arguments, hoist

KEPT = 1 / 0.356  # variance of a layer's weights times how many it sums
SEEN_ABOVE = 500
"""The step above which a reference is seen. In less noisy ones the head lies in the sample already: who compares the two takes it for one that is
to be given another light, and answers with the mean of all lights, which is soft. `omokage.denoising` has the same."""
CONDITION_CHANNELS = {1: (8, 16, 32, 64), 2: (8, 16, 32, 64, 96)}  # by the UNet's patch: from the picture's size down to its cells


def plain_controlnet(shape: UnetShape, *, reference: bool = False) -> ControlNetModel:
    """diffusers' own network of that shape; with a `reference`, latents of a picture go in beside the noisy ones."""
    channels = shape.condition_channels or CONDITION_CHANNELS[shape.patch]
    arguments = diffusers_arguments(shape)
    return ControlNetModel(
        conditioning_embedding_out_channels=channels, **arguments | {"in_channels": arguments["in_channels"] * (2 if reference else 1)}
    )


class ControlNet(nn.Module):
    """Noisy latents [B, C, h, w], steps [B], a condition [B, 3, 8h, 8w] in 0..1, keys and values [B, N, S'] and a strength [B] to residuals.

    One whose shape has a `vector` takes that [B, V] and the sizes [B, 6] after the strength; one with a `reference` its latents [B, C, h, w], which
    are seen in steps above SEEN_ABOVE only.
    """

    def __init__(self, shape: UnetShape, network: ControlNetModel | None = None, *, reference: bool = False) -> None:
        """`network`: diffusers' own of that shape, which is changed; without one, a new one."""
        super().__init__()
        self.network = network or plain_controlnet(shape, reference=reference)
        self.reference = reference
        if network is None:
            make_audible(self.network.controlnet_cond_embedding)
        self.kv_width = hoist(self.network)
        self.patch = shape.patch

    def forward(
        self, sample: Tensor, timestep: Tensor, condition: Tensor, context_kv: Tensor, strength: Tensor, *added: Tensor
    ) -> tuple[Tensor, ...]:
        """The residuals of the UNet's down blocks in order, then that of the middle, all times the strength."""
        if self.reference:
            sample, added = torch.cat([sample, reference_at(added[0], timestep)], 1), added[1:]
        down, middle = self.network(
            F.pixel_unshuffle(sample, self.patch) if self.patch > 1 else sample,
            timestep,
            context_kv,  # diffusers wants some states here; the processors do not look at them
            controlnet_cond=condition,
            added_cond_kwargs=added_conditions(added),
            cross_attention_kwargs={"contexts": (context_kv,)},
            return_dict=False,
        )
        return tuple(residual * strength[:, None, None, None] for residual in (*down, middle))

    @torch.no_grad()
    def begin_as(self, unet: Unet) -> None:
        """Copy what the UNet's first half knows, a reference's way in from that of the noisy latents. The way out stays zero, so that training begins
        with the UNet as it is."""
        known = unet.network.state_dict()
        if self.reference:
            known["conv_in.weight"] = torch.cat([known["conv_in.weight"]] * 2, 1)
        own = self.network.state_dict()
        self.network.load_state_dict({name: known.get(name, value) if not name.startswith("controlnet_") else value for name, value in own.items()})


def reference_at(reference: Tensor, timestep: Tensor) -> Tensor:
    """Reference latents [B, C, h, w] as a network sees them at steps [B], or at one step [] for all: zeros in the less noisy half."""
    return reference * (timestep > SEEN_ABOVE).to(reference.dtype).reshape(-1, 1, 1, 1)


@torch.no_grad()
def make_audible(embedding: nn.Module) -> None:
    """First weights with which a condition's differences come through all layers.

    With torch's own every convolution and SiLU leaves some .3 of them, after nine layers 1e-5: the ControlNet hears the same of every picture, and
    learns nothing of it. Here the variance is kept, as He et al. (2015) do it for ReLU; SiLU leaves .356 of a normal variable's.
    """
    for layer in embedding.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0, (KEPT / layer.weight[0].numel()) ** 0.5)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def shared_columns(unet: Unet, control: ControlNet) -> Tensor:
    """[S'] indices into the UNet's S of the layers that the ControlNet has, too."""
    starts, start = {}, 0
    for name, layer in cross_attentions(unet.network):
        starts[name] = (start, start + 2 * layer.to_q.out_features)
        start += 2 * layer.to_q.out_features
    return torch.cat([torch.arange(*starts[name]) for name, _ in cross_attentions(control.network)])


class Control(nn.Module):
    """A ControlNet, and the projection of its context's tokens [B, N, D] to its keys and values [B, N, S']."""

    def __init__(self, shape: UnetShape, *, reference: bool = False) -> None:
        super().__init__()
        self.controlnet = ControlNet(shape, reference=reference)
        self.project = nn.Linear(shape.text_width, self.controlnet.kv_width, bias=False)

    @torch.no_grad()
    def begin_as(self, unet: Unet, known: Tensor) -> None:
        """Start from the UNet, and from its projection [S, D] of such tokens."""
        self.controlnet.begin_as(unet)
        self.project.weight.copy_(known[shared_columns(unet, self.controlnet)])

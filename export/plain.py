"""A UNet and a ControlNet as diffusers has them: every step makes keys and values of its cross-attention anew, from tokens. What hoisted ones are
held against."""

import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from export.controlnet import Control, plain_controlnet, reference_at
from export.families import UnetShape
from export.unet import POOLED_TOKENS, Unet, cross_attentions, plain_unet, value_mask


class DecoupledAttention:
    """Ye et al. 2023 in the form in which it was published: own projections of the face's tokens, their result added with a scale."""

    def __init__(self, key: Tensor, value: Tensor, face: Tensor, scale: float) -> None:
        self.key, self.value, self.face, self.scale = key, value, face, scale

    def __call__(self, layer: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: object) -> Tensor:
        def heads(values: Tensor) -> Tensor:
            return values.unflatten(-1, (layer.heads, -1)).transpose(1, 2)  # type: ignore[no-any-return, no-untyped-call]

        query = heads(layer.to_q(hidden_states))
        words = F.scaled_dot_product_attention(query, heads(layer.to_k(encoder_hidden_states)), heads(layer.to_v(encoder_hidden_states)))
        face = F.scaled_dot_product_attention(query, heads(self.face @ self.key.T), heads(self.face @ self.value.T))
        return layer.to_out[0]((words + self.scale * face).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def decouple(network: UNet2DConditionModel, projections: Tensor, face: Tensor, scale: float) -> None:
    """Let a UNet also attend to a face's tokens [B, N, D] by projections [S, D]."""
    processors = dict(network.attn_processors)
    for name, (key, value) in _layers(network, projections).items():
        processors[f"{name}.processor"] = DecoupledAttention(key, value, face, scale)
    network.set_attn_processor(processors)


def _layers(network: nn.Module, projections: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """The projections [S, D] of keys and of values of each cross-attention layer."""
    found, start = {}, 0
    for name, layer in cross_attentions(network):
        size = layer.to_q.out_features
        found[name] = (projections[start : start + size], projections[start + size : start + 2 * size])
        start += 2 * size
    return found


def _filled(plain: nn.Module, hoisted: nn.Module, projections: Tensor) -> None:
    """Give diffusers' network the weights of a hoisted one, and the projections [S, D] back to its layers."""
    known = dict(hoisted.state_dict())
    for name, (key, value) in _layers(plain, projections).items():
        known |= {f"{name}.to_k.weight": key, f"{name}.to_v.weight": value}
    plain.load_state_dict(known)
    plain.eval()


class PlainUnet(nn.Module):
    """Noisy latents [B, C, h, w], steps [B], tokens of the words [B, T, D], `known` [B, ...] and a ControlNet's residuals to a prediction."""

    def __init__(self, shape: UnetShape, hoisted: Unet, words: Tensor, face: Tensor) -> None:
        """`words`, `face`: the projections [S, D] that make keys and values of tokens."""
        super().__init__()
        self.network: UNet2DConditionModel = plain_unet(shape)
        _filled(self.network, hoisted.network, words)
        self._words, self._face, self._patch = words, face, shape.patch
        self._values = torch.nonzero(value_mask(self.network)).flatten()

    def attend(self, words: Tensor, face: Tensor) -> Tensor:
        """Look at a face's tokens [B, N, D] from now on, nobody's are zeros; returns what goes in with the step, `known`."""
        decouple(self.network, self._face, face, 1.0)
        pairs = ((words, self._words), (face, self._face))
        return torch.cat([tokens.sum(1) @ projections[self._values].T / POOLED_TOKENS for tokens, projections in pairs], 1)

    def forward(self, sample: Tensor, timestep: Tensor, words: Tensor, known: Tensor, *control: Tensor) -> Tensor:
        found: Tensor = self.network(
            F.pixel_unshuffle(sample, self._patch),
            timestep,
            words,
            class_labels=known,
            down_block_additional_residuals=control[:-1] or None,
            mid_block_additional_residual=control[-1] if control else None,
            return_dict=False,
        )[0]
        return F.pixel_shuffle(found, self._patch)


class PlainControlNet(nn.Module):
    """Noisy latents [B, C, h, w], steps [B], a condition [B, 3, 8h, 8w], tokens [B, N, D], reference latents [B, C, h, w] to residuals."""

    def __init__(self, shape: UnetShape, hoisted: Control) -> None:
        super().__init__()
        self.network: ControlNetModel = plain_controlnet(shape, reference=True)
        _filled(self.network, hoisted.controlnet.network, hoisted.project.weight)
        self._patch = shape.patch

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor, face: Tensor, reference: Tensor) -> tuple[Tensor, ...]:
        both = F.pixel_unshuffle(torch.cat([sample, reference_at(reference, timestep)], 1), self._patch)
        down, middle = self.network(both, timestep, face, controlnet_cond=condition, return_dict=False)
        return (*down, middle)

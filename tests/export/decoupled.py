"""Decoupled attention (Ye et al. 2023) in the form in which it was published: what hoisted keys and values are compared with."""

import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from export.unet import cross_attentions


class DecoupledAttention:
    """Own projections of the face's tokens, their result added with a scale."""

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
    start = 0
    for name, layer in cross_attentions(network):
        size = layer.to_q.out_features
        key, value = projections[start : start + 2 * size].chunk(2)
        processors[f"{name}.processor"] = DecoupledAttention(key, value, face, scale)
        start += 2 * size
    network.set_attn_processor(processors)

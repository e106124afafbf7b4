"""The denoising network, with the keys and values of its cross-attention as inputs.

Cross-attention needs nothing of the words or the face but their keys and values, and these stay the same over all steps. So a
context network makes them once, and one UNet serves every person, system and strength in the same batch.
"""

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from export.families import SIZES, UnetShape

WAVE = 256  # numbers that each of SDXL's sizes becomes
POOLED_TOKENS = 16  # sums of values are divided by so many, whatever the number of tokens


def diffusers_arguments(shape: UnetShape) -> dict[str, Any]:
    """What diffusers' UNet and ControlNet both take."""
    return {
        "in_channels": shape.latent_channels * shape.patch**2,
        "block_out_channels": shape.channels,
        "layers_per_block": shape.layers_per_block,
        "down_block_types": tuple("CrossAttnDownBlock2D" if on else "DownBlock2D" for on in shape.attention),
        "cross_attention_dim": shape.text_width,
        "attention_head_dim": shape.heads,  # diffusers reads it as the number of heads
        "norm_num_groups": shape.norm_groups,
        "transformer_layers_per_block": shape.depths,
        "use_linear_projection": shape.linear,
        "resnet_time_scale_shift": "scale_shift" if shape.scale_shift else "default",
        **(_added(shape.vector) if shape.vector else {}),
    }


def _added(vector: int) -> dict[str, Any]:
    """SDXL's (Podell et al. 2023): each of the sizes as a wave of 256 numbers, beside the vector of the words."""
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": WAVE,
        "projection_class_embeddings_input_dim": vector + SIZES * WAVE,
    }


def added_conditions(given: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """The vector of the words [B, V] and the sizes [B, 6] as diffusers wants them; in single precision, as the waves beside them are."""
    return {"text_embeds": given[0].float(), "time_ids": given[1].float()} if given else {}


def plain_unet(shape: UnetShape) -> UNet2DConditionModel:
    """diffusers' own network of that shape."""
    known = {"class_embed_type": "projection", "projection_class_embeddings_input_dim": shape.kv_width(whole=True)} if shape.pooled else {}
    return UNet2DConditionModel(
        out_channels=shape.latent_channels * shape.patch**2,
        **known,
        up_block_types=tuple("CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(shape.attention)),
        **diffusers_arguments(shape),
    )


def cross_attentions(network: nn.Module) -> list[tuple[str, Attention]]:
    """(name, layer) of all cross-attention layers, in the fixed order of their keys and values."""
    return [(name, layer) for name, layer in network.named_modules() if isinstance(layer, Attention) and name.endswith("attn2")]


def value_mask(network: nn.Module) -> Tensor:
    """[S]: 1 where a value is, 0 where a key is. Each layer has its keys first."""
    sizes = [layer.to_q.out_features for _, layer in cross_attentions(network)]
    return torch.cat([torch.tensor([0.0, 1.0]).repeat_interleave(size) for size in sizes])


def _heads(values: Tensor, heads: int) -> Tensor:
    return values.reshape(*values.shape[:2], heads, -1).transpose(1, 2)


def _looks(query: Tensor, key: Tensor) -> Tensor:
    """[B, heads, cells, tokens]: how much each cell looks at each token."""
    return torch.softmax((query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2), -1)


def _attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Written out: two fused attentions that share a query crash TensorRT-RTX's builder, and training in bfloat16 is slower with the fused one."""
    return _looks(query, key) @ value


class SelfAttention:
    """Attention of a layer to itself."""

    def __call__(  # diffusers passes on only what a processor names
        self,
        layer: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        contexts: tuple[Tensor, ...] = (),
    ) -> Tensor:
        query, key, value = (_heads(project(hidden_states), layer.heads) for project in (layer.to_q, layer.to_k, layer.to_v))
        return layer.to_out[0](_attended(query, key, value).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class HoistedAttention:
    """Attention to given keys and values; each context has its own softmax, and the results are added (Ye et al. 2023, eq. 5)."""

    watch: Callable[[Tensor], object] | None = None  # told how much each cell looks at each token of the first context

    def __init__(self, start: int, size: int) -> None:
        self.key = slice(start, start + size)
        self.value = slice(start + size, start + 2 * size)

    def __call__(
        self,
        layer: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        *,
        contexts: tuple[Tensor, ...],
    ) -> Tensor:
        query = _heads(layer.to_q(hidden_states), layer.heads)
        if self.watch is not None:
            self.watch(_looks(query, _heads(contexts[0][..., self.key], layer.heads)))
        found = reduce(add, (_attended(query, *(_heads(both[..., part], layer.heads) for part in (self.key, self.value))) for both in contexts))
        return layer.to_out[0](found.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


def hoist(network: nn.Module) -> int:
    """Give a diffusers network hoisted attention, without its own projections of keys and values; returns S."""
    start = 0
    hoisted = {}
    for name, layer in cross_attentions(network):
        size = layer.to_q.out_features
        hoisted[f"{name}.processor"] = HoistedAttention(start, size)
        layer.to_k = layer.to_v = None
        start += 2 * size
    network.set_attn_processor({name: hoisted.get(name, SelfAttention()) for name in network.attn_processors})  # type: ignore[operator, union-attr]
    return start


class Unet(nn.Module):
    """Noisy latents [B, C, h, w], steps [B], `text_kv` [B, T, S], `id_kv` [B, N, S] and a ControlNet's residuals to a prediction [B, C, h, w].

    A UNet whose shape has a `vector` takes that [B, V] and the sizes [B, 6] before the residuals.
    """

    value_columns: Tensor  # [S / 2]

    def __init__(self, shape: UnetShape, network: UNet2DConditionModel | None = None) -> None:
        """`network`: diffusers' own of that shape, which is changed; without one, a new one."""
        super().__init__()
        self.network = network or plain_unet(shape)
        self.register_buffer("value_columns", torch.nonzero(value_mask(self.network)).flatten(), persistent=False)
        self.kv_width = hoist(self.network)
        self.patch, self.pooled = shape.patch, shape.pooled
        self.added = 2 if shape.vector else 0

    def forward(self, sample: Tensor, timestep: Tensor, text_kv: Tensor, id_kv: Tensor, *more: Tensor) -> Tensor:
        """`more`: vector and sizes, of a shape that has them; the residuals of the down blocks in order, then that of the middle; none of
        them without a ControlNet."""
        control = more[self.added :]
        found: Tensor = self.network(
            F.pixel_unshuffle(sample, self.patch) if self.patch > 1 else sample,
            timestep,
            text_kv,  # diffusers wants some states here; the processors above do not look at them
            class_labels=torch.cat([self._values(text_kv), self._values(id_kv)], 1) if self.pooled else None,
            added_cond_kwargs=added_conditions(more[: self.added]),
            cross_attention_kwargs={"contexts": (text_kv, id_kv)},
            down_block_additional_residuals=control[:-1] or None,
            mid_block_additional_residual=control[-1] if control else None,
            return_dict=False,
        )[0]
        return F.pixel_shuffle(found, self.patch) if self.patch > 1 else found

    def _values(self, context_kv: Tensor) -> Tensor:
        """[B, S / 2]: the sum over tokens, nothing for nobody; keys are left out, as a strength does not change them."""
        return context_kv.sum(1)[:, self.value_columns] / POOLED_TOKENS

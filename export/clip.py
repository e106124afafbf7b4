"""CLIP (Radford et al. 2021) in transformers' classes: words to states, an aligned face to how it looks, a picture to whether it may be given out."""

from typing import Any

import torch
import torch.nn.functional as F
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

from export.families import ClipShape

END = 49407  # the token after the last word; also what CLIP-L pads with
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of CLIP's training pictures, RGB in 0..1
ONE_MORE = 0.01  # on every concept, where a picture of a child is suspected


def _shape(shape: ClipShape) -> dict[str, Any]:
    return {
        "hidden_size": shape.width,
        "intermediate_size": 4 * shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "hidden_act": shape.activation,
        "projection_dim": shape.projection or shape.width,
        "attn_implementation": "eager",
    }


def plain_words(shape: ClipShape) -> CLIPTextModelWithProjection:
    """transformers' own network; an encoder without a projection is the same without `text_projection`."""
    network = CLIPTextModelWithProjection(CLIPTextConfig(vocab_size=shape.vocabulary, eos_token_id=END, **_shape(shape)))
    if not shape.projection:
        network.text_projection = None
    return network


def plain_pictures(shape: ClipShape) -> CLIPVisionModelWithProjection:
    """transformers' own network."""
    return CLIPVisionModelWithProjection(_vision(shape))


def plain_safety(shape: ClipShape) -> StableDiffusionSafetyChecker:
    """diffusers' own network."""
    return StableDiffusionSafetyChecker(CLIPConfig(vision_config=_vision(shape).to_dict(), projection_dim=shape.projection))


def _vision(shape: ClipShape) -> CLIPVisionConfig:
    return CLIPVisionConfig(patch_size=shape.patch, image_size=shape.picture, **_shape(shape))


class Words(nn.Module):
    """Token numbers [B, 77], once for each encoder, to states [B, 77, D]; and, of SDXL's two, the vector of the last one's [B, V].

    One encoder gives its last states, normed (Stable Diffusion 1); two give the states of their last layer but one, side by side (SDXL).
    """

    def __init__(self, encoders: list[CLIPTextModelWithProjection]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoder.text_model for encoder in encoders)
        self.norm, self.project = encoders[-1].text_model.final_layer_norm, encoders[-1].text_projection

    def forward(self, *ids: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        found = [_states(encoder, one) for encoder, one in zip(self.encoders, ids, strict=True)]
        last: Tensor = self.norm(found[-1][1])
        if self.project is None:
            return last
        end = (ids[-1] == END).int().argmax(1)
        at_end = torch.gather(last, 1, end[:, None, None].expand(-1, 1, last.shape[2]))[:, 0]
        return torch.cat([before for before, _ in found], -1), self.project(at_end)


def _states(encoder: Any, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Of the last layer but one, and of the last."""
    before = states = encoder.embeddings(input_ids=ids)
    later = torch.full((ids.shape[1], ids.shape[1]), -1e4, dtype=states.dtype).triu(1)[None, None]  # no word sees the next; fits half precision
    for layer in encoder.encoder.layers:
        before, states = states, layer(states, later)
    return before, states


class _Normal(nn.Module):
    """Pixels, RGB 0..255, as CLIP wants them."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None] * 255, persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None] * 255, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels - self.mean) / self.deviation


class Looks(nn.Module):
    """An aligned face [B, 3, 224, 224], RGB 0..255, to the states of the last layer but one [B, 257, 1280] and the projected vector [B, 1024]."""

    def __init__(self, network: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.network, self.normal = network, _Normal()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        model = self.network.vision_model
        states = model.pre_layrnorm(model.embeddings(self.normal(pixels)))
        before = states
        for layer in model.encoder.layers:
            before, states = states, layer(states, None)
        return before, self.network.visual_projection(model.post_layernorm(states[:, 0]))


class Safety(nn.Module):
    """A picture [B, 3, 224, 224], RGB 0..255, to how far above its threshold the nearest unwanted concept is [B]: above 0, do not give it out."""

    def __init__(self, network: StableDiffusionSafetyChecker) -> None:
        super().__init__()
        self.network, self.normal = network, _Normal()

    def forward(self, pixels: Tensor) -> Tensor:
        network = self.network
        seen = F.normalize(network.visual_projection(network.vision_model(self.normal(pixels)).pooler_output), dim=1)
        special = seen @ F.normalize(network.special_care_embeds, dim=1).T - network.special_care_embeds_weights
        concepts = seen @ F.normalize(network.concept_embeds, dim=1).T - network.concept_embeds_weights
        more = (special > 0).any(1, keepdim=True).to(concepts.dtype) * ONE_MORE
        return (concepts + more).amax(1)  # type: ignore[no-any-return]

"""Faces to keys and values, as published systems do it: tokens by diffusers' projections, then `to_k_ip` and `to_v_ip` of every layer side by side.

Identity [B, 512], appearance tokens [B, 257, 1280] and picture vector [B, 1024] are ArcFace's and CLIP-H's.
"""

import torch
from diffusers.models.embeddings import (
    ImageProjection,
    IPAdapterFaceIDImageProjection,
    IPAdapterFaceIDPlusImageProjection,
    IPAdapterPlusImageProjection,
)
from torch import Tensor, nn

from export.context import FaceKeysValues
from export.families import Family, UnetShape

HEAD = 64  # numbers of an attention head
FEW = 4  # tokens of IP-Adapter, FaceID, FaceID-Plus and Face-MakeUp


def plain_faceid(family: Family) -> IPAdapterFaceIDImageProjection:
    return IPAdapterFaceIDImageProjection(family.face.identity, family.unet.text_width, mult=2, num_tokens=FEW)


def plain_faceid_plus(family: Family) -> IPAdapterFaceIDPlusImageProjection:
    width, face = family.unet.text_width, family.face
    return IPAdapterFaceIDPlusImageProjection(width, width, face.appearance, face.identity, heads=max(width // HEAD, 1), num_tokens=FEW)


def plain_instantid(family: Family) -> IPAdapterPlusImageProjection:
    return _resampler(family, family.face.identity)


def plain_ip_adapter(family: Family) -> ImageProjection:
    assert family.looks
    return ImageProjection(family.looks.projection, family.unet.text_width, FEW)


def plain_ip_adapter_plus(family: Family) -> IPAdapterPlusImageProjection:
    return _resampler(family, family.face.appearance)


def _resampler(family: Family, seen: int) -> IPAdapterPlusImageProjection:
    width, heads = family.face.resampler
    return IPAdapterPlusImageProjection(seen, family.unet.text_width, width, heads=heads, num_queries=family.face.cross_tokens)


def plain_projections(shape: UnetShape) -> nn.ModuleDict:
    """`to_k_ip` and `to_v_ip` of every cross-attention layer, by its place among all attention layers: 1, 3, 5 and so on."""
    widths = shape.attention_widths(whole=True)
    pairs = [{name: nn.Linear(shape.text_width, width, bias=False) for name in ("to_k_ip", "to_v_ip")} for width in widths]
    return nn.ModuleDict({str(2 * place + 1): nn.ModuleDict(pair) for place, pair in enumerate(pairs)})


class FaceIdTokens(nn.Module):
    """Identity to four tokens: IP-Adapter-FaceID."""

    def __init__(self, network: IPAdapterFaceIDImageProjection) -> None:
        super().__init__()
        self.network = network

    def forward(self, identity: Tensor) -> Tensor:
        return self.network(nn.functional.normalize(identity, dim=1))  # type: ignore[no-any-return]


class FaceIdPlusTokens(nn.Module):
    """Identity, appearance and structure scale [B] to four tokens, x + s·y: FaceID-PlusV2 and Face-MakeUp; without x (`shortcut`), FaceID-Plus."""

    def __init__(self, network: IPAdapterFaceIDPlusImageProjection, *, shortcut: bool) -> None:
        super().__init__()
        self.network, self.shortcut = network, shortcut

    def forward(self, identity: Tensor, appearance: Tensor, structure_scale: Tensor) -> Tensor:
        network = self.network
        first = network.norm(network.proj(nn.functional.normalize(identity, dim=1)).unflatten(1, (FEW, -1)))
        seen, found = network.proj_in(appearance), first
        for block in network.layers:
            found = block(seen, found, found)
        found = structure_scale[:, None, None] * network.norm_out(network.proj_out(found))
        return first + found if self.shortcut else found  # type: ignore[no-any-return]


class ResampledIdentity(nn.Module):
    """Identity, of its own length, to sixteen tokens: InstantID and CrossFaceID."""

    def __init__(self, network: IPAdapterPlusImageProjection) -> None:
        super().__init__()
        self.network = network

    def forward(self, identity: Tensor) -> Tensor:
        return self.network(identity[:, None])  # type: ignore[no-any-return]


class FaceContext(nn.Module):
    """What makes tokens, and the identity scale [B] to `id_kv` [B, 16, S]; with a ControlNet's projection [S', D], also to `pose_kv` [B, 16, S']."""

    def __init__(self, shape: UnetShape, tokens: nn.Module, projections: nn.Module, pose: Tensor | None = None, *, room: int) -> None:
        super().__init__()
        self.tokens, self.room = tokens, room
        widths = shape.attention_widths(whole=True)
        is_value = torch.cat([torch.tensor([0.0, 1.0]).repeat_interleave(width) for width in widths])
        self.kv = FaceKeysValues(shape.text_width, len(is_value), is_value)
        layers = [pair.get_submodule(name) for pair in projections.children() for name in ("to_k_ip", "to_v_ip")]
        self.kv.project = projected(torch.cat([layer.get_parameter("weight") for layer in layers]))
        self.pose = projected(pose) if pose is not None else None

    def forward(self, *given: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        *seen, identity_scale = given
        tokens = self.tokens(*seen)
        tokens = tokens.repeat(1, self.room // tokens.shape[1], 1)  # a softmax over copies gives each token the weight it had
        id_kv: Tensor = self.kv(tokens, identity_scale)
        return id_kv if self.pose is None else (id_kv, self.pose(tokens))


def projected(weight: Tensor) -> nn.Linear:
    """A projection without bias that has these weights [S, D]."""
    found = nn.Linear(1, 1, bias=False)
    found.in_features, found.out_features = weight.shape[1], weight.shape[0]
    found.weight = nn.Parameter(weight.detach(), requires_grad=False)
    return found


class WordsContext(nn.Module):
    """States of the words [B, 77, D] to keys and values [B, 77, S] by the UNet's own projections."""

    def __init__(self, project: Tensor) -> None:
        super().__init__()
        self.project = projected(project)

    def forward(self, states: Tensor) -> Tensor:
        return self.project(states)  # type: ignore[no-any-return]


class Face0Tokens(nn.Module):
    """A face to three tokens: for each a network of four layers as wide as a token. Valevski et al. 2023: four layers, ReLU, 10 M parameters.

    Their encoder gives 1,792 numbers; identity and mean appearance have as many, but are not the same: no weights of theirs are public.
    """

    def __init__(self, family: Family) -> None:
        super().__init__()
        width, before = family.unet.text_width, family.face.identity + family.face.appearance
        self.layers = nn.ModuleList(_four_layers(before, width) for _ in range(family.face.face0_tokens))

    def forward(self, identity: Tensor, appearance: Tensor) -> Tensor:
        both = torch.cat([identity, appearance.mean(1)], 1)
        return torch.stack([layers(both) for layers in self.layers], 1)


def _four_layers(before: int, width: int) -> nn.Sequential:
    linear = [nn.Linear(before, width), *[nn.Linear(width, width) for _ in range(3)]]
    return nn.Sequential(*[part for layer in linear[:-1] for part in (layer, nn.ReLU())], linear[-1])


class Face0Words(nn.Module):
    """States [B, 77, D], identity and appearance to keys and values [B, 77, S]: the face in the last three places of the words."""

    def __init__(self, tokens: Face0Tokens, project: Tensor) -> None:
        super().__init__()
        self.tokens, self.project = tokens, projected(project)

    def forward(self, states: Tensor, identity: Tensor, appearance: Tensor) -> Tensor:
        face = self.tokens(identity, appearance)
        return self.project(torch.cat([states[:, : -face.shape[1]], face], 1))  # type: ignore[no-any-return]

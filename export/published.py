"""Networks of the published families, each by itself: a full-size family is too big for memory as a whole.

A network is made of components, which are diffusers', transformers' or insightface's own modules with their own names of weights.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from transformers.initialization import no_init_weights

from export import clip, face_tokens, kl, specs
from export.arcface import ArcFace
from export.conditions import LimbsPicture
from export.controlnet import ControlNet, plain_controlnet
from export.errors import InvalidRequest, Mismatch, MissingPiece
from export.families import ClipShape, Family, KlShape, Precision
from export.precision import DTYPES, Bordered
from export.unet import Unet, cross_attentions, plain_unet

Tensors = Mapping[str, Tensor]
Weights = Mapping[str, Tensors]
"""Component -> its tensors, by the names that its module has."""
SHOWN = 5  # names of an error
SINGLE = ("identity_encoder", "condition_pose")
"""Networks that compute in single precision: of the one, what it says is measured; the other draws."""


def _shape(shape: ClipShape | None) -> ClipShape:
    assert shape, "the family has no such encoder"
    return shape


def _autoencoder(family: Family) -> nn.Module:
    assert isinstance(family.autoencoder, KlShape)
    return kl.plain_autoencoder(family.autoencoder)  # type: ignore[no-any-return]


def _identity(family: Family) -> ArcFace:
    return ArcFace(family.face.stages, family.face.identity, unit=family.face.unit, side=family.face.crop)


COMPONENTS: dict[str, Callable[[Family], nn.Module]] = {
    "unet": lambda family: plain_unet(family.unet),
    "controlnet": lambda family: plain_controlnet(family.unet),
    "vae": _autoencoder,
    "text_encoder": lambda family: clip.plain_words(family.clip[0]),
    "text_encoder_2": lambda family: clip.plain_words(family.clip[1]),
    "image_encoder": lambda family: clip.plain_pictures(_shape(family.looks)),
    "safety_checker": lambda family: clip.plain_safety(_shape(family.safety)),
    "identity_encoder": _identity,
    "face0.tokens": face_tokens.Face0Tokens,
    "faceid.tokens": face_tokens.plain_faceid,
    "faceid_plus.tokens": face_tokens.plain_faceid_plus,
    "instantid.tokens": face_tokens.plain_instantid,
    "ip_adapter.tokens": face_tokens.plain_ip_adapter,
    "ip_adapter_plus.tokens": face_tokens.plain_ip_adapter_plus,
    **{
        f"{adapter}.kv": lambda family: face_tokens.plain_projections(family.unet)
        for adapter in ("faceid", "faceid_plus", "instantid", "ip_adapter", "ip_adapter_plus")
    },
}


def projections(network: nn.Module) -> Tensor:
    """[S, D]: a diffusers network's own projections of keys and values, in the fixed order of its layers."""
    return torch.cat([torch.cat([layer.to_k.weight, layer.to_v.weight]) for _, layer in cross_attentions(network)]).detach()


@dataclass(frozen=True)
class Recipe:
    """A network by its components, and what is built of their modules and the family."""

    components: tuple[str, ...]
    build: Callable[..., nn.Module]


def _context(adapter: str, tokens: Callable[..., nn.Module], *more: str) -> Recipe:
    """Of a face or picture; `more`: the ControlNet, where it looks at the tokens, too."""

    def build(family: Family, made: nn.Module, pairs: nn.Module, controlnet: nn.Module | None = None) -> nn.Module:
        pose = projections(controlnet) if controlnet is not None else None
        return face_tokens.FaceContext(family.unet, tokens(made), pairs, pose, room=family.face.cross_tokens)

    return Recipe((f"{adapter}.tokens", f"{adapter}.kv", *more), build)


def _plus(*, shortcut: bool) -> Callable[..., nn.Module]:
    return partial(face_tokens.FaceIdPlusTokens, shortcut=shortcut)


NETWORKS = {
    "text_encoder": Recipe(("text_encoder", "text_encoder_2"), lambda _, *encoders: clip.Words(list(encoders))),
    "identity_encoder": Recipe(("identity_encoder",), lambda _, network: network),
    "appearance_encoder": Recipe(("image_encoder",), lambda _, network: clip.Looks(network)),
    "context_text": Recipe(("unet",), lambda _, unet: face_tokens.WordsContext(projections(unet))),
    "context_face0": Recipe(("face0.tokens", "unet"), lambda _, tokens, unet: face_tokens.Face0Words(tokens, projections(unet))),
    "context_face_makeup": _context("faceid_plus", _plus(shortcut=True), "controlnet"),
    "context_crossfaceid": _context("instantid", face_tokens.ResampledIdentity, "controlnet"),
    "context_faceid": _context("faceid", face_tokens.FaceIdTokens),
    "context_faceid_plus": _context("faceid_plus", _plus(shortcut=True)),
    "context_ip_adapter": _context("ip_adapter", lambda network: network),
    "context_ip_adapter_plus": _context("ip_adapter_plus", lambda network: network),
    "unet": Recipe(("unet",), lambda family, unet: Unet(family.unet, unet)),
    "condition_pose": Recipe((), lambda family: LimbsPicture(family.size)),
    "controlnet_pose": Recipe(("controlnet",), lambda family, controlnet: ControlNet(family.unet, controlnet)),
    "vae_encoder": Recipe(("vae",), lambda _, vae: kl.KlEncoder(vae)),
    "vae_decoder": Recipe(("vae",), lambda _, vae: kl.KlDecoder(vae)),
    "safety_checker": Recipe(("safety_checker",), lambda _, network: clip.Safety(network)),
}
VARIANTS = {"faceid_plus_v1": {"context_faceid_plus": _context("faceid_plus", _plus(shortcut=False))}}
"""What is built otherwise, by the name of what asks for it: FaceID-Plus has the same tensors as FaceID-PlusV2."""


def components_of(family: Family, name: str) -> tuple[str, ...]:
    """What a network needs weights of."""
    return tuple(part for part in NETWORKS[name].components if part != "text_encoder_2" or len(family.clip) > 1)


def size_of(family: Family, name: str, precision: Precision | None = None) -> int:
    """Bytes of all weights of a network's components, in the precision that it computes in."""
    with torch.device("meta"):
        parts = [empty(family, part) for part in components_of(family, name)]
    numbers = sum(parameter.numel() for part in parts for parameter in part.parameters())
    return numbers * torch.finfo(DTYPES[precision or precision_of(family, name)]).bits // 8


def precision_of(family: Family, name: str) -> Precision:
    """What a network computes in if nothing else is asked for."""
    if name in SINGLE:
        return "fp32"
    return family.autoencoder.precision if name.startswith("vae_") and isinstance(family.autoencoder, KlShape) else "fp16"


def names(family: Family) -> list[str]:
    """The networks that can be exported; those of `engines.sources` come from packages."""
    return [name for name in specs.networks(family) if name in NETWORKS]


@torch.no_grad()
def module(
    family: Family, name: str, weights: Weights | None = None, precision: Precision | None = None, variants: Collection[str] = ()
) -> nn.Module:
    """A network ready to run or export, with weights that fit its components or, without any, random ones.

    Raises InvalidRequest for a network that the family has not, MissingPiece where a component has no weights, Mismatch for numbers too large.
    """
    if name not in names(family):
        raise InvalidRequest(f"{family.name} has no network {name!r}; choose one of: {', '.join(names(family))}")
    inside = precision or precision_of(family, name)
    recipe = next((VARIANTS[variant][name] for variant in variants if name in VARIANTS[variant]), NETWORKS[name])
    needed = components_of(family, name)
    missing = [part for part in needed if weights is not None and part not in weights]
    if missing:
        raise MissingPiece(
            f"{name} of {family.name} needs weights of its {' and '.join(missing)}; got those of: {', '.join(weights or ()) or 'nothing'}"
        )
    parts = [random(family, part, inside) if weights is None else _filled(family, part, weights[part], inside) for part in needed]
    return Bordered(recipe.build(family, *parts).eval(), specs.network(family, name), inside).requires_grad_(False)


def _filled(family: Family, component: str, tensors: Tensors, precision: Precision) -> nn.Module:
    """Raises Mismatch for numbers that the precision does not hold: they would become infinite."""
    most = torch.finfo(DTYPES[precision]).max
    large = [name for name, value in tensors.items() if value.is_floating_point() and value.numel() and not value.abs().max() <= most]
    if large:
        raise Mismatch(
            f"{component} of {family.name} has weights beyond what {precision} holds, {most:.0f}, or not finite ({', '.join(large[:SHOWN])}); "
            "give --precision fp32, or other weights"
        )
    found = empty(family, component)
    found.load_state_dict(tensors, assign=True)
    return nn.Module.to(found, DTYPES[precision])  # not diffusers' own, which warns of nothing


def empty(family: Family, component: str) -> nn.Module:
    """A component whose weights nobody has set: memory is taken when they are."""
    with no_init_weights():
        return COMPONENTS[component](family)


def random(family: Family, component: str, precision: Precision) -> nn.Module:
    """A component with first weights, made in its precision: twice the memory would not be there for all. They are the same each time, so that
    networks which share it fit together."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPES[precision])
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return COMPONENTS[component](family)
    finally:
        torch.set_default_dtype(before)

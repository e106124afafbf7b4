"""Files with `image_proj` and `ip_adapter`: IP-Adapter, its FaceID kinds, InstantID and CrossFaceID; with `controlnet`, too, Face-MakeUp."""

from collections.abc import Callable

import torch
from diffusers.loaders.unet import UNet2DConditionLoadersMixin
from diffusers.models.attention_processor import Attention

from export.errors import Mismatch
from export.families import Family
from export.loaders.low_rank import Change, LowRank
from export.published import Tensors, empty

IMAGE, LAYERS, CONTROL = "image_proj.", "ip_adapter.", "controlnet."
KINDS: dict[str, Callable[[Family, Tensors], bool]] = {
    "ip_adapter": lambda _, image: "proj.weight" in image,
    "faceid_plus": lambda _, image: "perceiver_resampler.proj_in.weight" in image,
    "faceid": lambda _, image: "proj.0.weight" in image and "norm.weight" in image,
    "instantid": lambda family, image: "latents" in image and _seen(image) == family.face.identity,
    "ip_adapter_plus": lambda _, image: "latents" in image,
}
"""Adapter -> whether the tensors of `image_proj` are its: the first that fits."""


def _seen(image: Tensors) -> int:
    return image["proj_in.weight"].shape[1] if "proj_in.weight" in image else 0


def recognised(tensors: Tensors) -> bool:
    return any(name.startswith(IMAGE) for name in tensors) and any(name.startswith(LAYERS) for name in tensors)


def below(tensors: Tensors, prefix: str) -> Tensors:
    """Those whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def kind_of(family: Family, tensors: Tensors, where: str) -> str:
    """Raises Mismatch for an adapter of no known kind."""
    image = below(tensors, IMAGE)
    for kind, fits in KINDS.items():
        if fits(family, image):
            return kind
    raise Mismatch(f"{where} is an adapter of no known kind: its image_proj has {', '.join(list(image)[:3])}; wanted one of: {', '.join(KINDS)}")


def components(family: Family, tensors: Tensors, where: str) -> dict[str, Tensors]:
    """The projection to tokens by diffusers' names, that to keys and values by its own, and the ControlNet of Face-MakeUp."""
    kind, image = kind_of(family, tensors, where), below(tensors, IMAGE)
    try:
        tokens = UNet2DConditionLoadersMixin._convert_ip_adapter_image_proj_to_diffusers(None, image, low_cpu_mem_usage=False)
    except KeyError as error:
        raise Mismatch(f"{where}: 1 missing (image_proj.{error.args[0]}), without which the others cannot be told") from None
    except RuntimeError as error:  # of torch, whose names are diffusers'
        raise Mismatch(f"{where}: its image_proj does not fit {kind}: {' '.join(str(error).split())[:600]}") from None
    pairs = {name: value for name, value in below(tensors, LAYERS).items() if "_lora." not in name}
    found: dict[str, Tensors] = {f"{kind}.tokens": tokens.state_dict(), f"{kind}.kv": pairs}
    other = [name for name in tensors if not name.startswith((IMAGE, LAYERS, CONTROL))]
    if other:
        raise Mismatch(f"{where}: {len(other)} extra ({', '.join(other[:3])}{', …' if len(other) > 3 else ''})")
    control = below(tensors, CONTROL)
    return {**found, "controlnet": control} if control else found


def change(family: Family, tensors: Tensors, where: str) -> Change:
    """The LoRA of the FaceID kinds, on every attention layer by its place; none of the others. Raises Mismatch."""
    pairs = {name: value for name, value in below(tensors, LAYERS).items() if "_lora." in name}
    if not pairs:
        return {}
    with torch.device("meta"):
        layers = [name for name, part in empty(family, "unet").named_modules() if isinstance(part, Attention)]
    found = {}
    try:
        for place, layer in enumerate(layers):
            for side in ("q", "k", "v", "out"):
                down, up = (pairs.pop(f"{place}.to_{side}_lora.{way}.weight") for way in ("down", "up"))
                found[f"{layer}.to_{side}{'.0' if side == 'out' else ''}"] = LowRank(down, up, 1.0)
    except KeyError as error:
        raise Mismatch(f"{where}: ip_adapter.{error.args[0]} is missing; {family.name} has {len(layers)} attention layers") from None
    if pairs:
        raise Mismatch(f"{where}: {len(pairs)} extra ({', '.join(list(pairs)[:3])}); {family.name} has {len(layers)} attention layers")
    return {"unet": found}

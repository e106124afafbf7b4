"""Changes of low rank (LoRA, Hu et al. 2022) in kohya's, diffusers' and PEFT's form, and merging them into weights."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_lora_to_diffusers, _maybe_map_sgm_blocks_to_diffusers
from torch import Tensor

from export.errors import InvalidRequest, Mismatch
from export.families import Family
from export.loaders.diffusers_parts import MODEL
from export.loaders.fit import SHOWN
from export.loaders.low_rank_settings import OWNERS, Settings, written
from export.published import Tensors, Weights

KOHYA = ("lora_unet_", "lora_te_", "lora_te1_", "lora_te2_")
ENDINGS = re.compile(r"\.(?:lora\.|lora_linear_layer\.)?(?:lora_)?(down|up|A|B)(?:\.[a-z_]+)?\.weight$")
OLD = re.compile(r"\.(?:processor\.)?to_(q|k|v|out)_lora\.(down|up)\.weight$")
MARK = re.compile(r"lora_(down|up|A|B)\b|lora\.(down|up)\.|_lora\.(down|up)\.|lora_linear_layer\.")
IN_WORDS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out.0": "out_proj"}
"""What attention is called in transformers."""


@dataclass(frozen=True)
class LowRank:
    """Of one layer: down [r, in], up [out, r] (with kernels, of a convolution), and what up · down is multiplied by."""

    down: Tensor
    up: Tensor
    factor: float


Change = Mapping[str, Mapping[str, LowRank]]
"""Component -> layer -> what is added to its weight."""


def recognised(tensors: Tensors) -> bool:
    return any(MARK.search(name) for name in tensors)


def change(family: Family, tensors: Tensors, path: Path) -> Change:
    """What a file of any of the three forms adds. Raises Mismatch for tensors that are no pair of down and up, and as `written` does."""
    alphas: dict[str, float] = {}
    found = dict(tensors)
    if any(name.startswith(KOHYA) for name in found):
        found, alphas = _from_kohya(family, found, path)
    sides: dict[tuple[str, str], dict[str, Tensor]] = {}
    left = []
    for name, value in found.items():
        if name.endswith(".alpha"):
            alphas[name] = float(value)
        elif place := _place(name):
            owner, layer, side = place
            sides.setdefault((owner, layer), {})[side] = value
        else:
            left.append(name)
    left += [f"{owner}.{layer}" for (owner, layer), pair in sides.items() if len(pair) < 2]
    if left:
        more = ", …" if len(left) > SHOWN else ""
        raise Mismatch(f"{path}: {len(left)} tensors are of no pair of down and up ({', '.join(left[:SHOWN])}{more}); only plain LoRA can be merged")
    known = {_layer_of(name.removesuffix(".alpha")): alpha for name, alpha in alphas.items()}
    settings = written(path)
    made: dict[str, dict[str, LowRank]] = {}
    for (owner, layer), pair in sides.items():
        factor = settings.get(owner, Settings()).factor(layer, pair["down"].shape[0], known.get((owner, layer)))
        made.setdefault(owner, {})[layer] = LowRank(pair["down"], pair["up"], factor)
    return made


def _from_kohya(family: Family, tensors: dict[str, Tensor], path: Path) -> tuple[dict[str, Tensor], dict[str, float]]:
    names = set(tensors)
    try:
        mapped = _maybe_map_sgm_blocks_to_diffusers(tensors, family.unet)  # which has `layers_per_block`
        if len(mapped) < len(names):  # it drops what is named the first way
            left = sorted(names - mapped.keys())[:SHOWN]
            raise Mismatch(f"{path} names blocks as Stability AI's code does ({', '.join(left)}, …) and as diffusers does; wanted is one of the two")
        return _convert_non_diffusers_lora_to_diffusers(mapped)  # type: ignore[no-any-return]
    except (KeyError, ValueError) as error:
        raise Mismatch(
            f"{path} looks like kohya's LoRA, but holds more or less ({str(error).strip()[:200]}); only plain LoRA can be merged"
        ) from None


def _place(name: str) -> tuple[str, str, str] | None:
    """(component, layer, `down` or `up`) of a tensor, None for one that is neither."""
    name = name.removeprefix("base_model.model.")
    owner = next((one for one in OWNERS if name.startswith(f"{one}.")), "text_encoder" if name.startswith(MODEL) else "unet")
    name = name.removeprefix(f"{owner}.")
    if old := OLD.search(name):
        layer, side = f"{name[: old.start()]}.to_{old[1]}{'.0' if old[1] == 'out' else ''}", old[2]
    elif new := ENDINGS.search(name):
        layer, side = name[: new.start()].replace(".processor", ""), {"A": "down", "B": "up"}.get(new[1], new[1])
    else:
        return None
    if owner != "unet":
        for ours, theirs in IN_WORDS.items():
            layer = layer.removesuffix(ours) + theirs if layer.endswith(f".{ours}") else layer
        layer = f"{MODEL}{layer}" if layer.startswith("encoder.") else layer  # as transformers 5 calls them
    return owner, layer, side


def _layer_of(name: str) -> tuple[str, str] | None:
    """(component, layer) of what an alpha is named after: a layer, or a tensor of it."""
    place = _place(name) or _place(f"{name}.lora.down.weight")
    return place[:2] if place else None


@torch.no_grad()
def merged(weights: Weights, changes: Iterable[tuple[Change, float, str]]) -> Weights:
    """Weights with (change, strength, where from) of each added. Components that no weights are given of stay away.

    Raises Mismatch for a layer that is not there or has another shape, InvalidRequest for one that changes nothing.
    """
    made = dict(weights)
    for one, strength, where in changes:
        if not one.keys() & made.keys():
            raise InvalidRequest(f"{where} changes {', '.join(one)}, but weights were given of {', '.join(made) or 'nothing'}")
        for component in one.keys() & made.keys():
            tensors = dict(made[component])
            for layer, pair in one[component].items():
                tensors[f"{layer}.weight"] = _added(tensors, layer, pair, strength, where)
            made[component] = tensors
    return made


def _added(tensors: Tensors, layer: str, pair: LowRank, strength: float, where: str) -> Tensor:
    weight = tensors.get(f"{layer}.weight")
    if weight is None:
        raise Mismatch(f"{where} changes {layer}, which is not there; it is of another family")
    product = pair.up.float().flatten(1) @ pair.down.float().flatten(1) if pair.up.shape[1] == pair.down.shape[0] else None
    if product is None or product.numel() != weight.numel() or product.shape[0] != weight.shape[0]:
        got = f"{list(pair.up.shape)} times {list(pair.down.shape)}"
        raise Mismatch(f"{where} changes {layer} by {got}, but that is {list(weight.shape)}; it is of another family")
    return (weight.float() + strength * pair.factor * product.reshape(weight.shape)).to(weight.dtype)

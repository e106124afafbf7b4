"""Weights as their publishers bring them, of the narrow families and with random values."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from export.families import Family
from export.loaders.formats import Brought
from export.published import COMPONENTS
from tests.export import as_published
from tests.export.narrow import NARROW

SD15, SDXL = NARROW["sd15"], NARROW["sdxl"]


@cache
def part(family: str, component: str) -> Any:
    """A component with random values; nothing is zero or one."""
    torch.manual_seed(len(component))
    found = COMPONENTS[component](NARROW[family])
    for name, value in found.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.1)
        if name.endswith("running_var"):
            value.abs_()
    return found


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    return path


def assert_same(found: Brought, family: Family, component: str) -> None:
    wanted = part(family.name, component).state_dict()
    given = found.weights[component]
    assert {name for name in wanted if not name.endswith(("num_batches_tracked", "position_ids"))} == set(given)
    for name, value in given.items():
        torch.testing.assert_close(value, wanted[name], atol=0, rtol=0)


def pipeline(family: Family, folder: Path) -> Path:
    """A folder as diffusers saves it."""
    kinds = ["unet", "vae", "text_encoder", "controlnet", "image_encoder", "safety_checker", *(["text_encoder_2"] if len(family.clip) > 1 else [])]
    for component in kinds:
        tensors = part(family.name, component).state_dict()
        if component == "safety_checker":
            tensors = {name.replace("vision_model.", "vision_model.vision_model.", 1): value for name, value in tensors.items()}
        saved(folder / component / "model.safetensors", tensors)
    return folder


def adapter(family: Family, kind: str) -> dict[str, dict[str, Tensor]]:
    return as_published.adapter(kind, part(family.name, f"{kind}.tokens"), part(family.name, f"{kind}.kv"))

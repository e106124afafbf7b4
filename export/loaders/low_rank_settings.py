"""How strong a low-rank change is, by what trainers write beside it: PEFT's adapter_config.json, and the notes in diffusers' own files."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from export.errors import InvalidRequest
from export.loaders.files import described, notes

CONFIG, NOTES = "adapter_config.json", "lora_adapter_metadata"
OWNERS = ("unet", "text_encoder", "text_encoder_2")
"""Components that a change may be of."""


@dataclass(frozen=True)
class Settings:
    """`alpha`: of all layers, None: as much as the rank; `alphas`: of some, by what their names end in, an expression; `root`: divided by the root of
    the rank (Kalajdzievski 2023) and not by the rank (Hu et al. 2022)."""

    alpha: float | None = None
    alphas: Mapping[str, float] = field(default_factory=dict)
    root: bool = False

    def factor(self, layer: str, rank: int, own: float | None = None) -> float:
        """What up times down of a layer is multiplied by; `own`: its alpha, where the file has one for it alone."""
        named = next((alpha for name, alpha in self.alphas.items() if re.fullmatch(rf"(.*\.)?({name})", layer)), self.alpha)
        alpha = named if own is None else own
        return 1.0 if alpha is None else alpha / (math.sqrt(rank) if self.root else rank)


def written(path: Path) -> dict[str, Settings]:
    """By component, of a file. Raises DamagedData for what is no JSON, InvalidRequest for a change that is more than low rank."""
    beside = path.parent / CONFIG
    if beside.is_file():
        return dict.fromkeys(OWNERS, _settings(described(beside), path))
    inside = notes(path, NOTES)
    parts = {owner: {name.removeprefix(f"{owner}."): value for name, value in inside.items() if name.startswith(f"{owner}.")} for owner in OWNERS}
    return {owner: _settings(part, path) for owner, part in parts.items()}


def _settings(found: Mapping[str, Any], path: Path) -> Settings:
    if found.get("use_dora"):
        raise InvalidRequest(f"{path} was trained with use_dora, which changes more than by low rank; only plain LoRA can be merged")
    try:
        alpha = found.get("lora_alpha")
        alphas = {name: float(value) for name, value in (found.get("alpha_pattern") or {}).items()}
        return Settings(None if alpha is None else float(alpha), alphas, bool(found.get("use_rslora")))
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidRequest(f"what says the strength of {path} has no numbers where they belong ({error}); wanted PEFT's lora_alpha") from None

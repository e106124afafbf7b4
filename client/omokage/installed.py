"""Which engines a repository has, in a few digits: from their side-cars, which say what they were made from."""

import hashlib
import json
from pathlib import Path
from typing import Any

DIGITS = 12  # of a sha256
TAUGHT_TOGETHER = "context_text"
"""The network that tells a generator: it is trained with the UNet, has the words' projection, which priors change, and is never quantized."""


def digests(repository: Path) -> dict[str, str]:
    """`engines`: of the files of all engines; `generator`: of the graph and the weights that the keys and values of words come from, whatever they
    were built for. Empty where there are none."""
    sidecars = [json.loads(path.read_text()) for path in sorted(repository.glob("*/1/model.*.json"))]
    built = [f"{_of(one, 'network')} {one['sha256']}" for one in sidecars]
    made = [f"{_of(one, 'graph_sha256')} {_of(one, 'weights_sha256')}" for one in sidecars if _of(one, "network") == TAUGHT_TOGETHER]
    return {"engines": _digest(built), "generator": _digest(made)}


def _of(sidecar: dict[str, Any], what: str) -> str:
    return str(sidecar["recipe"][what])


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGITS] if lines else ""

"""An engine on disk and the server's model that is to serve it: do they agree? Needs neither Triton nor what runs the engine."""

import hashlib
import json
from pathlib import Path
from typing import Any

TRITON_DTYPES = {"fp32": "TYPE_FP32", "fp16": "TYPE_FP16", "int64": "TYPE_INT64"}


class BadEngine(Exception):
    """The text says which model, what was got, what is wanted and what to do. Never a path."""


def checked(engine: Path, model: str, config: dict[str, Any]) -> dict[str, Any]:
    """The side-car of an engine that is whole and is that model's. `config`: the model's, as Triton hands it on in JSON. Raises BadEngine."""
    again = f"run `make engines TARGET={'cpu' if engine.suffix == '.onnx' else 'tensorrt'}`"
    try:
        sidecar: dict[str, Any] = json.loads(engine.with_name(engine.name + ".json").read_text())
    except (OSError, ValueError) as error:
        raise BadEngine(f"{model} has no engine with a readable side-car ({type(error).__name__}); {again}") from error
    network = sidecar["recipe"]["network"]
    if network != model:
        raise BadEngine(f"{model} has the engine of {network}; {again}")
    if not engine.exists():
        raise BadEngine(f"{model} has a side-car and no engine; {again}")
    with engine.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sidecar["sha256"]:
        raise BadEngine(f"the engine of {model} is damaged: sha256 {found[:12]}…, built {sidecar['sha256'][:12]}…; {again}")
    for kind in ("input", "output"):
        _compare(model, kind, sidecar[f"{kind}s"], config[kind], batched=config["max_batch_size"] > 0)
    return sidecar


def _compare(model: str, kind: str, built: list[dict[str, Any]], declared: list[dict[str, Any]], *, batched: bool) -> None:
    """Names, dtypes and dims of the engine against those of the model's config."""
    wanted = {port["name"]: (TRITON_DTYPES[port["dtype"]], _numbers(port["dims"][1:] if batched else port["dims"])) for port in built}
    found = {
        port["name"]: (port["data_type"], [int(dim) for dim in (port["reshape"]["shape"] if "reshape" in port else port["dims"])])
        for port in declared
    }
    if wanted != found:
        other = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise BadEngine(
            f"{model}: {kind} {other[0]} is {found.get(other[0], 'not there')} in the config, {wanted.get(other[0], 'not there')} in the engine; "
            "run `python -m engines configs` and `make engines`"
        )


def _numbers(dims: list[Any]) -> list[int]:
    return [dim if isinstance(dim, int) else -1 for dim in dims]

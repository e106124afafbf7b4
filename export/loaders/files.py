"""Tensors of a file: safetensors, or a pickle that holds tensors and nothing that runs. What it is, is read from its first bytes."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from export.errors import DamagedData, InvalidRequest, MissingPiece
from export.published import Tensors

HEADER = 9  # bytes: a length, and the brace with which safetensors' list begins


def read(path: Path) -> Tensors:
    """All tensors by name; a dict in a dict has its name before theirs, with a dot.

    Raises MissingPiece for no file, DamagedData for a broken one, InvalidRequest for one that holds code, or no tensors.
    """
    if not path.is_file():
        raise MissingPiece(f"{path} is not there, or is no file")
    with path.open("rb") as stream:
        begins = stream.read(HEADER)
    found = _safetensors(path) if begins[8:] == b"{" else _pickled(path)
    if not found:
        raise InvalidRequest(f"{path} holds no tensors")
    return found


def described(path: Path) -> dict[str, Any]:
    """A JSON object that lies beside weights. Raises DamagedData."""
    return _json(path, path.read_text(errors="replace"))


def notes(path: Path, name: str) -> dict[str, Any]:
    """A JSON object that a safetensors file carries under a name; empty where it carries none, or is of another kind. Raises DamagedData."""
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(name)
    except SafetensorError:
        return {}
    return {} if text is None else _json(path, text)


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DamagedData(f"{path} is cut off or damaged: it has no whole JSON ({error}); fetch it again") from None
    if not isinstance(found, dict):
        raise DamagedData(f"{path} is damaged: where a JSON object is wanted it has {type(found).__name__}; fetch it again")
    return found


def _safetensors(path: Path) -> Tensors:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DamagedData(f"{path} is cut off or damaged ({error}); fetch it again") from None


def _pickled(path: Path) -> Tensors:
    try:
        return dict(_flat("", torch.load(path, map_location="cpu", weights_only=True)))
    except pickle.UnpicklingError as error:
        first = str(error).splitlines()[0]
        raise InvalidRequest(f"{path} is no safetensors file, and no pickle of tensors alone, so it is not opened ({first})") from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise DamagedData(f"{path} is cut off, damaged or of no known kind ({str(error).splitlines()[0]}); fetch it again") from None


def _flat(before: str, found: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(found, torch.Tensor):
        yield before, found
    elif isinstance(found, dict):
        for name, value in found.items():
            skip = not before and name in ("state_dict", "module")  # what trainers wrap everything in
            yield from _flat("" if skip else f"{before}.{name}" if before else str(name), value)

"""`python -m export.released`: the networks of a release back as training left them, in half precision, to go on from where no checkpoints are."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, numpy_helper
from safetensors.torch import save_file
from torch import nn

from export import specs
from export.__main__ import WEIGHTS
from export.errors import ExportError, InvalidRequest, Mismatch, MissingPiece
from export.families import FAMILIES, Family
from export.networks import TRAINED, Parts, listen, module, untrained
from export.tensors import Network
from export.to_onnx import graph

LEARNED = (
    *("unet", "context_text", "context_face0", "context_face_makeup", "context_crossfaceid", "appearance_encoder", "vae_encoder", "vae_decoder"),
    *("controlnet_pose", "controlnet_shading", "context_shading", "context_guided", "harmonizer", "character", "face_expression"),
    *("face_parsing", "face_light", "face_overlay", "condition_pose"),
)
"""The networks that hold all that training makes; a part of two networks is taken from both."""
Arrays = dict[str, npt.NDArray[np.float32]]
Place = tuple[str, int]
"""A node's first output and the number of one of its inputs."""


def initializers(model: onnx.ModelProto) -> Arrays:
    """A graph's constants by name, without the mark of half precision."""
    found = [tensor for tensor in model.graph.initializer if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)]
    return {tensor.name.removesuffix(".half"): numpy_helper.to_array(tensor).astype(np.float32) for tensor in found}


@torch.no_grad()
def places_in_graph(found: nn.Module, network: Network) -> dict[str, tuple[Place, bool]]:
    """Parameter or buffer -> (where the exported graph reads it, whether it lies there transposed); the module's values are overwritten.

    The exporter gives names of its own, so the module is filled with random numbers, exported, and its values are sought. What counts is who reads
    a constant, not its name: of constants with equal values the exporter keeps one.
    """
    tensors = {name: value for name, value in found.state_dict(keep_vars=True).items() if value.is_floating_point()}
    for value in tensors.values():
        value.copy_(torch.rand_like(value) * 0.2 + 0.05)
    known: dict[tuple[int, bytes], tuple[str, bool]] = {}
    exported = graph(found, network)
    for name, constant in initializers(exported).items():
        known.setdefault(_print_of(constant), (name, False))
        if constant.ndim == 2:
            known.setdefault(_print_of(constant.T), (name, True))
    read = {name: place for place, name in reversed(read_at(exported).items())}
    marks = {name: _print_of(value.numpy()) for name, value in tensors.items()}
    return {name: (read[known[mark][0]], known[mark][1]) for name, mark in marks.items() if mark in known}


def read_at(model: onnx.ModelProto) -> dict[Place, str]:
    """What every node reads, by the node's first output and the place among its inputs."""
    return {(node.output[0], place): name for node in model.graph.node for place, name in enumerate(node.input)}


def _print_of(values: npt.NDArray[np.float32]) -> tuple[int, bytes]:
    return values.size, np.ascontiguousarray(values).astype(np.float16).tobytes()


@torch.no_grad()
def restore(parts: Parts, name: str, folder: Path) -> list[str]:
    """Give the modules of a network the values that its released graph has; returns which tensors it has. What it does not have stays as it was.

    Raises MissingPiece for a graph that is not there, Mismatch for one that was exported from another module.
    """
    path = folder / f"{name}.onnx"
    if not path.exists():
        raise MissingPiece(f"{path} is not there; give the folder of a release")
    found = module(parts, name)
    tensors = {key: value for key, value in found.state_dict(keep_vars=True).items() if value.is_floating_point()}
    before = {key: value.detach().clone() for key, value in tensors.items()}
    places = places_in_graph(found, specs.network(parts.family, name))
    model = onnx.load(str(path))
    released, read = initializers(model), read_at(model)
    for key, value in tensors.items():
        if key not in places:
            value.copy_(before[key])
            continue
        place, transposed = places[key]
        if place not in read and (place[0], 0) in read:
            value.zero_()  # a bias that is zero all over: the exporter leaves it out
            continue
        constant = read.get(place, "")
        if constant not in released or released[constant].size != value.numel():
            raise Mismatch(
                f"{path} has no {key} of {value.numel()} numbers where {place[0]} reads it; it was exported by another version of this code"
            )
        values = released[constant].T if transposed else released[constant]
        value.copy_(torch.from_numpy(np.ascontiguousarray(values)).reshape(value.shape))
    return sorted(places)


def restored(family: Family, folder: Path, networks: Sequence[str] = LEARNED) -> Parts:
    """All modules of a family with a release's values."""
    parts = untrained(family)
    for name in networks:
        print(f"{name:20} {len(restore(parts, name, folder))} tensors", flush=True)
    if "face_expression" in networks:
        listen(parts)
    return parts


def main(argv: Sequence[str] | None = None) -> int:
    """0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m export.released", description=__doc__)
    parser.add_argument("--family", default="mini", help=f"one of: {', '.join(FAMILIES)} (default: mini)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files, laid out as `python -m training.mini` does")
    given = parser.parse_args(argv)
    try:
        if given.family not in FAMILIES:
            raise InvalidRequest(f"unknown family {given.family!r}; choose one of: {', '.join(FAMILIES)}")
        parts = restored(FAMILIES[given.family], WEIGHTS / given.family)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InvalidRequest) else 1
    for part, file in TRAINED.items():
        path = given.out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in getattr(parts, part).state_dict().items()}, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

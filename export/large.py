"""Graphs of networks whose weights are too many to hold twice: written from the module's own memory, in the precision that the module has."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx_ir
import onnx_safetensors
import torch
from safetensors.torch import save_file
from torch import nn

from export.licences import LICENCES
from export.tensors import Network
from export.to_onnx import INLINE, check, exported, replace_files


def write(module: nn.Module, network: Network, path: Path, licences: Mapping[str, str] | None = None) -> None:
    """`path` (.onnx) and, beside it, the weights (.safetensors). `licences`: of what the weights come from, kept in the graph.

    Raises Mismatch where the graph has other names or shapes than the spec says.
    """
    model = exported(module, network).model
    check([onnx_ir.to_proto(value) for value in model.graph.inputs], [onnx_ir.to_proto(value) for value in model.graph.outputs], network)
    _forget_where(model)
    if licences:
        model.metadata_props[LICENCES] = json.dumps(dict(licences), sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    begins = f"partial-{network.name}-"
    for left in path.parent.glob(f"{begins}*"):  # by an export that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=begins) as folder:
        weights = path.with_suffix(".safetensors").name
        constants = {name: value.const_value for name, value in model.graph.initializers.items()}
        large = {name: _tensor(constant) for name, constant in constants.items() if constant is not None and constant.nbytes >= INLINE}
        if large:
            save_file(large, Path(folder) / weights)
            onnx_safetensors.replace_tensors(model, weights, folder)
        onnx_ir.save(model, Path(folder) / path.name)
        replace_files(Path(folder), path)


def _tensor(constant: onnx_ir.TensorProtocol) -> torch.Tensor:
    raw = getattr(constant, "raw", None)
    found = raw if isinstance(raw, torch.Tensor) else torch.from_numpy(constant.numpy())
    return found.detach().contiguous()


def _forget_where(model: onnx_ir.Model) -> None:
    """Take out what torch notes on every node: the lines of source, with the folders of whoever exported it."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.graph.doc_string = None
    nodes = list(model.graph.all_nodes())
    values = [*model.graph.inputs, *model.graph.initializers.values(), *(value for node in nodes for value in node.outputs)]
    parts: list[onnx_ir.Node | onnx_ir.Value] = [*nodes, *values]
    for part in parts:
        part.metadata_props.clear()
        part.doc_string = None

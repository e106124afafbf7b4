"""A module and its spec to an ONNX graph whose weights lie beside it in a safetensors file, in half precision where they were single."""

import contextlib
import inspect
import io
import logging
from pathlib import Path

import numpy as np
import onnx
import onnx_safetensors
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.export import Dim

from export.errors import Mismatch
from export.tensors import Axis, Network

OPSET = 18
INLINE = 1024  # bytes; smaller tensors stay in the graph, where shapes are read from
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "int64": torch.int64}


def example(network: Network, sizes: dict[str, int], seed: int = 0) -> list[torch.Tensor]:
    """Inputs of a network with its axes at the given sizes: numbers around 0, small whole numbers, masks of ones."""
    draw = torch.Generator().manual_seed(seed)
    found = []
    for tensor in network.inputs:
        shape = [dim if isinstance(dim, int) else sizes[dim.name] for dim in tensor.dims]
        if tensor.dtype == "int64":
            found.append(torch.ones(shape, dtype=torch.int64) if tensor.name.endswith("mask") else torch.randint(1, 999, shape, generator=draw))
        elif tensor.name.endswith("mask"):
            found.append(torch.ones(shape))
        else:
            found.append(torch.randn(shape, generator=draw, dtype=DTYPES[tensor.dtype]))
    return found


def graph(module: nn.Module, network: Network) -> onnx.ModelProto:
    """The module as ONNX, its matrices in half precision, checked against the spec. Raises Mismatch where names or shapes disagree."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of torchvision, which nothing here needs
    axes = {dim.name: dim for tensor in network.inputs for dim in tensor.dims if isinstance(dim, Axis)}
    dims = {name: Dim(name, min=axis.min, max=axis.max) for name, axis in axes.items()}
    inputs = tuple(example(network, {name: 2 for name in axes}))
    dynamic = tuple({place: dims[dim.name] for place, dim in enumerate(tensor.dims) if isinstance(dim, Axis)} for tensor in network.inputs)
    program = torch.onnx.export(
        module,
        inputs,
        input_names=[tensor.name for tensor in network.inputs],
        output_names=[tensor.name for tensor in network.outputs],
        dynamic_shapes=_arranged(module, dynamic),
        dynamo=True,
        opset_version=OPSET,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    _check(model, network)
    _forget_where(model)
    return halved(model, {name for name, _ in module.named_buffers()})


def _arranged(module: nn.Module, dynamic: tuple[dict[int, Dim], ...]) -> tuple[object, ...]:
    """The axes as torch wants them: a module that takes *tensors has them in one more tuple."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    plain = [p for p in parameters if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    if len(plain) == len(parameters):
        return dynamic
    return (*dynamic[: len(plain)], dynamic[len(plain) :])


def _check(model: onnx.ModelProto, network: Network) -> None:
    for values, tensors in ((model.graph.input, network.inputs), (model.graph.output, network.outputs)):
        found = [value.name for value in values]
        wanted = [tensor.name for tensor in tensors]
        if found != wanted:
            raise Mismatch(f"{network.name}: the graph has {found}, its spec says {wanted}")
        for value, tensor in zip(values, tensors, strict=True):
            shape = [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]
            spec = [dim if isinstance(dim, int) else dim.name for dim in tensor.dims]
            if shape != spec:
                raise Mismatch(f"{network.name}: {tensor.name} has shape {shape} in the graph, its spec says {spec}")


def _forget_where(model: onnx.ModelProto) -> None:
    """Take out what torch notes on every node: the lines of source, with the folders of whoever exported it."""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


def halved(model: onnx.ModelProto, kept: set[str]) -> onnx.ModelProto:
    """The same graph with its matrices in half precision, each cast back where it is used: half the file, sums as before. `kept` stay as they are."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.name in kept or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2 or 4 * np.prod(tensor.dims) < INLINE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.single", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def write(model: onnx.ModelProto, path: Path) -> None:
    """`path` (.onnx) and, beside it, the weights (.safetensors)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stderr(io.StringIO()):  # it shows a bar for every file, and has no switch for it
        onnx_safetensors.save_model(model, path, external_data=path.with_suffix(".safetensors").name, size_threshold=INLINE)

"""A module and its spec to an ONNX graph whose weights lie beside it in a safetensors file, in half precision where they were single."""

import contextlib
import hashlib
import inspect
import io
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnx_safetensors
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.export import Dim

from export.errors import Mismatch
from export.gradient import UnetGradient, traced
from export.mean_face import mean_face
from export.tensors import Axis, Network

OPSET = 18
INLINE = 1024  # bytes; smaller tensors stay in the graph, where shapes are read from
FACE_SIZE = 0.2  # of a picture's side, how far apart the eyes of an example lie
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "int64": torch.int64}


def example(network: Network, sizes: dict[str, int], seed: int = 0) -> list[torch.Tensor]:
    """Inputs of a network with its axes at the given sizes: numbers around 0 or, of pixels, in their range; small whole numbers; masks of ones; of
    points of a face, about a face's."""
    draw = torch.Generator().manual_seed(seed)
    found = []
    for tensor in network.inputs:
        shape = [dim if isinstance(dim, int) else sizes[dim.name] for dim in tensor.dims]
        if tensor.dtype == "int64":
            found.append(torch.ones(shape, dtype=torch.int64) if tensor.name.endswith("mask") else torch.randint(1, 999, shape, generator=draw))
        elif tensor.name.endswith("mask"):
            found.append(torch.ones(shape))
        elif tensor.name.endswith("landmarks"):
            found.append(0.5 + FACE_SIZE * (mean_face()[:, :2] + 0.05 * torch.randn(shape, generator=draw)))
        elif "0..255" in tensor.says:
            found.append(torch.rand(shape, generator=draw) * 255)
        elif tensor.says.endswith("RGB, 0..1"):
            found.append(torch.rand(shape, generator=draw))
        else:
            found.append(torch.randn(shape, generator=draw, dtype=DTYPES[tensor.dtype]))
    return found


def graph(module: nn.Module, network: Network) -> onnx.ModelProto:
    """The module as ONNX, its matrices in half precision, checked against the spec. Raises Mismatch where names or shapes disagree."""
    model = exported(module, network).model_proto
    check(model.graph.input, model.graph.output, network)
    _forget_where(model)
    if not any(isinstance(dim, Axis) for tensor in network.inputs for dim in tensor.dims):
        del model.graph.value_info[:]  # fixed shapes are told by what comes in
    return halved(model, module)


def exported(module: nn.Module, network: Network) -> torch.onnx.ONNXProgram:
    """The module as torch's exporter gives it, with the spec's names and axes."""
    for noisy in ("torch.onnx", "onnxscript"):  # they warn of torchvision, which nothing here needs, and of what they try and cannot fold
        logging.getLogger(noisy).setLevel(logging.ERROR)
    axes = {dim.name: dim for tensor in network.inputs for dim in tensor.dims if isinstance(dim, Axis)}
    dims = {name: Dim(name, min=axis.min, max=axis.max) for name, axis in axes.items()}
    inputs = tuple(example(network, {name: 2 for name in axes}))
    dynamic = tuple({place: dims[dim.name] for place, dim in enumerate(tensor.dims) if isinstance(dim, Axis)} for tensor in network.inputs)
    if isinstance(module, UnetGradient):  # torch's exporter sees no way back by itself
        module, dynamic = traced(module, inputs), ({},) * len(inputs)
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
    return program


def _arranged(module: nn.Module, dynamic: tuple[dict[int, Dim], ...]) -> tuple[object, ...]:
    """The axes as torch wants them: a module that takes *tensors, and is given some, has them in one more tuple."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    plain = [p for p in parameters if p.kind is not inspect.Parameter.VAR_POSITIONAL]
    if len(plain) in (len(parameters), len(dynamic)):
        return dynamic
    return (*dynamic[: len(plain)], dynamic[len(plain) :])


def check(inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto], network: Network) -> None:
    """Raises Mismatch where a graph's ports are not what the spec says."""
    for values, tensors in ((inputs, network.inputs), (outputs, network.outputs)):
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


def halves(parameter: torch.Tensor | npt.NDArray[np.float32]) -> bool:
    """Whether a parameter lies in half precision in the file: matrices do, small ones and vectors do not."""
    return len(parameter.shape) > 1 and 4 * int(np.prod(parameter.shape)) >= INLINE


def halved(model: onnx.ModelProto, module: nn.Module) -> onnx.ModelProto:
    """The same graph with the module's matrices in half precision, each cast back where it is used: half the file, sums as before.

    What the exporter computed from parameters stays as it is, or it would be rounded twice.
    """
    parameters = [parameter.detach().numpy() for parameter in module.parameters() if halves(parameter)]
    known = {print_of(one) for one in parameters} | {print_of(one.T) for one in parameters if one.ndim == 2}
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name, value = tensor.name, numpy_helper.to_array(tensor)
        if not halves(value) or print_of(value) not in known:
            continue
        tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.single", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def print_of(value: npt.NDArray[np.generic]) -> tuple[tuple[int, ...], bytes]:
    """What tells an array from others."""
    return value.shape, hashlib.sha256(np.ascontiguousarray(value).tobytes()).digest()


def write(model: onnx.ModelProto, path: Path) -> None:
    """`path` (.onnx) and, beside it, the weights (.safetensors)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = path.with_suffix(".safetensors")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="partial-") as folder:
        with contextlib.redirect_stderr(io.StringIO()):  # it shows a bar for every file, and has no switch for it
            onnx_safetensors.save_model(model, Path(folder) / path.name, external_data=weights.name, size_threshold=INLINE)
        replace_files(Path(folder), path)


def replace_files(folder: Path, path: Path) -> None:
    """Put the new graph and weights of a folder in the place of the old ones."""
    path.with_suffix(".safetensors").unlink(missing_ok=True)  # never an old graph with new weights, or the other way round
    path.unlink(missing_ok=True)
    for whole in folder.iterdir():
        whole.chmod(0o644)
        whole.rename(path.parent / whole.name)

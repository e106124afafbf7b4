"""The target `cpu`: a graph with its weights, optimised once by ONNX Runtime, in one file."""

from pathlib import Path
from typing import Any

import onnx
import onnxruntime

RUNTIME = f"onnxruntime {onnxruntime.__version__}"
ENGINE_FILE = "model.onnx"
OPTIONS: dict[str, Any] = {"optimization": "extended"}  # not `all`: its layouts fit one kind of processor only


def build(graph: Path, out: Path) -> None:
    """Write the optimised model, weights inside."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    whole = onnx.load(str(graph)).SerializeToString()  # from the file alone, what is left as it was would go on pointing at the weights beside it
    onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    onnx.checker.check_model(str(out))

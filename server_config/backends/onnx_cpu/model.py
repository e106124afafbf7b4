"""Triton's adapter of an engine on the CPU: one for all engine models that run on ONNX Runtime."""

import functools
import json
import os
from pathlib import Path

import engine_file
import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from omokage.engine import give_back

ENGINE = "model.onnx"
THREADS = "OMOKAGE_CPU_THREADS"


@functools.cache
def zeros(*shape):
    return np.zeros(shape, np.float32)


class TritonPythonModel:
    """Every request is run by itself: in a batch with others a row may differ by a last bit, and on two cores a batch wins nothing."""

    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        config = json.loads(args["model_config"])
        engine = Path(args["model_repository"]) / args["model_version"] / ENGINE
        engine_file.checked(engine, args["model_name"], config)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get(THREADS) or os.cpu_count() or 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # or the sessions of other models starve
        self.session = onnxruntime.InferenceSession(str(engine), options, providers=["CPUExecutionProvider"])
        give_back()
        self.inputs = {port["name"]: [int(dim) for dim in port["dims"]] for port in config["input"]}
        self.outputs = [port["name"] for port in config["output"]]
        self.batched = config["max_batch_size"] > 0

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        try:
            found = self.session.run(self.outputs, dict(zip(self.inputs, self.given(request), strict=True)))
        except Exception as error:  # a text of ONNX Runtime may name files of the server: its kind is enough
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"the engine failed: {type(error).__name__}", pb_utils.TritonError.INTERNAL))
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, part) for name, part in zip(self.outputs, found, strict=True)])

    def given(self, request):
        """All inputs in their order; those that are optional in the config are zeros where they were left out."""
        found = [pb_utils.get_input_tensor_by_name(request, name) for name in self.inputs]
        rows = len(found[0].as_numpy())
        return [zeros(rows, *dims) if tensor is None else tensor.as_numpy() for tensor, dims in zip(found, self.inputs.values(), strict=True)]

"""Triton's adapter of an engine on the CPU: one for all engine models that run on ONNX Runtime."""

import functools
import json
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils
from omokage import engine as engines
from omokage import engine_file
from omokage.errors import OmokageError
from omokage.transport import beside, inside_triton, lending

ENGINE = "model.onnx"


@functools.cache
def zeros(*shape):
    return np.zeros(shape, np.float32)


def late(engine, name):
    """What runs an engine, which is read when it is first asked."""
    opened = functools.cache(lambda: engines.runner(engine, name))
    return lambda inputs: opened()(inputs)


class TritonPythonModel:
    """Every request is run by itself: in a batch with others a row may differ by a last bit, and on two cores a batch wins nothing.

    Of the config's parameters, `run_by` names another model, whose process runs this engine, and `lends` the models whose engines this process runs;
    `read: late` leaves the engine unread until somebody asks.
    """

    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        config, name = json.loads(args["model_config"]), args["model_name"]
        engines.keep_pages()
        engine = Path(args["model_repository"]) / args["model_version"] / ENGINE
        engine_file.checked(engine, name, config)
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        if "run_by" in parameters:
            self.run = lending.borrowed(parameters["run_by"], name)
        else:
            self.run = late(engine, name) if parameters.get("read") == "late" else engines.runner(engine, name)
        repository = engine.parents[2]
        lent = {one: engines.runner(repository / one / args["model_version"] / ENGINE, one) for one in parameters.get("lends", "").split()}
        self.listening = beside.Listening(name, functools.partial(lending.answer, lent)) if lent else None
        self.inputs = {port["name"]: [int(dim) for dim in port["dims"]] for port in config["input"]}
        self.outputs = [port["name"] for port in config["output"]]

    def finalize(self):
        if self.listening is not None:
            self.listening.close()

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        try:
            found = self.run(self.given(request))
        except OmokageError as error:
            return inside_triton.failure(error)
        except Exception as error:  # a text of ONNX Runtime may name files of the server: its kind is enough
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"the engine failed: {type(error).__name__}", pb_utils.TritonError.INTERNAL))
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, found[name]) for name in self.outputs])

    def given(self, request):
        """All inputs by name; those that are optional in the config are zeros where they were left out."""
        tensors = {name: pb_utils.get_input_tensor_by_name(request, name) for name in self.inputs}
        rows = len(next(tensor for tensor in tensors.values() if tensor is not None).as_numpy())
        return {name: zeros(rows, *self.inputs[name]) if tensor is None else tensor.as_numpy() for name, tensor in tensors.items()}

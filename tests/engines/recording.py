"""A stand-in for the modules of TensorRT 10, 11 and RTX: reads graphs as onnx does, and writes down what a builder is told, a line of JSON a call.

The lines are in `calls`, beside this file.

What it says a plan is begins as one; its timing cache is what was in it before, and a letter more. It takes no cache that begins with `other`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx


def told(what: str, *given: Any) -> None:
    with Path(__file__).with_name("calls").open("a") as file:
        file.write(json.dumps([what, *given]) + "\n")


class Logger:
    ERROR = 1

    def __init__(self, level: int) -> None: ...


class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = 5


class ComputeCapability:
    SM86, SM89, SM120 = "SM86", "SM89", "SM120"


Dims = list


class Port:
    def __init__(self, value: onnx.ValueInfoProto) -> None:
        kind = value.type.tensor_type
        self.name, self.dtype = value.name, kind.elem_type
        self.shape = [side.dim_value or -1 for side in kind.shape.dim]


class Definition:
    inputs: list[Port]
    outputs: list[Port]

    @property
    def num_inputs(self) -> int:
        return len(self.inputs)

    @property
    def num_outputs(self) -> int:
        return len(self.outputs)

    def get_input(self, place: int) -> Port:
        return self.inputs[place]

    def get_output(self, place: int) -> Port:
        return self.outputs[place]


class OnnxParser:
    def __init__(self, definition: Definition, logger: Logger) -> None:
        self.definition = definition

    def parse_from_file(self, path: str) -> bool:
        graph = onnx.load(path).graph
        self.definition.inputs = [Port(value) for value in graph.input]
        self.definition.outputs = [Port(value) for value in graph.output]
        return True


class Profile:
    def set_shape(self, name: str, *shapes: tuple[int, ...]) -> None:
        told("shape", name, *shapes)


class Cache:
    def __init__(self, blob: bytes) -> None:
        self.blob = blob

    def serialize(self) -> bytes:
        return self.blob + b"t"


class Config:
    cache: Cache

    def set_flag(self, flag: Any) -> None:
        told("flag", str(flag))

    def set_compute_capability(self, name: str, place: int) -> None:
        told("capability", name, place)

    def add_optimization_profile(self, profile: Profile) -> None:
        told("profile")

    def create_timing_cache(self, blob: bytes) -> Cache:
        return Cache(blob)

    def set_timing_cache(self, cache: Cache, ignore_mismatch: bool) -> bool:
        told("timing", cache.blob.decode(), ignore_mismatch)
        self.cache = cache
        return not cache.blob.startswith(b"other")

    def get_timing_cache(self) -> Cache:
        return self.cache


class Builder:
    def __init__(self, logger: Logger) -> None: ...

    def create_network(self, flags: int) -> Definition:
        told("network", flags)
        return Definition()

    def create_builder_config(self) -> Config:
        return Config()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, definition: Definition, config: Config) -> bytes:
        return b"ftrt, and more"


def nptype(dtype: int) -> Any:
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(dtype))

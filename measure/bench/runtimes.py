"""The UNet by every runtime there is for the same weights, on the same numbers."""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime
import torch
from omokage.system import Arrays
from torch import Tensor, nn

from export import specs
from export.__main__ import WEIGHTS
from export.families import MINI
from export.networks import Parts
from export.plain import PlainUnet
from export.released import restored
from export.to_onnx import example
from measure.bench.turns import THREADS
from measure.in_process import REPOSITORY, session

Ways = Mapping[str, Callable[[], Any]]
"""Name -> one step, whose prediction it returns."""
Step = Callable[[int], Callable[[], Any]]
"""Batch -> one step of it."""
NETWORKS = ("unet", "context_text", "context_crossfaceid")
GRAPH = WEIGHTS / MINI.name / "unet.onnx"
ROWS_AT_ONCE = 8  # as the denoiser runs them on the CPU


def opened(compiled: bool) -> dict[str, Step]:
    """All ways; torch.compile if told to, OpenVINO where it is installed."""
    torch.set_num_threads(THREADS)
    parts = restored(MINI, WEIGHTS / MINI.name, NETWORKS)
    found: dict[str, Step] = {
        "served": lambda batch: _by_rows(batch, parts),
        "diffusers eager": lambda batch: _by_torch(plain_unet(parts), batch),
        "diffusers channels_last": lambda batch: _by_torch(_channels_last(plain_unet(parts)), batch),
        "onnxruntime": lambda batch: _by_onnxruntime(batch, parts),
    }
    if compiled:
        found["torch.compile"] = lambda batch: _by_torch(_channels_last(plain_unet(parts)), batch, compiled=True)
    if importlib.util.find_spec("openvino"):
        for name, precision in (("openvino", "f32"), ("openvino bf16", "bf16")):
            found[name] = lambda batch, precision=precision: _by_openvino(batch, parts, precision)  # type: ignore[misc]
    return found


def plain_unet(parts: Parts) -> PlainUnet:
    """diffusers' own, that takes tokens of words and of a face."""
    generator = parts.generator
    return PlainUnet(parts.family.unet, generator.unet, generator.text.project.weight.data, generator.cross_kv.project.weight.data).eval()


@torch.no_grad()
def _tokens(batch: int) -> tuple[Tensor, Tensor]:
    """Of words and of a face."""
    draw, shape = torch.Generator().manual_seed(batch), MINI.unet
    return tuple(torch.randn(batch, tokens, shape.text_width, generator=draw) for tokens in (MINI.text_tokens, MINI.face.cross_tokens))  # type: ignore[return-value]


@torch.no_grad()
def _given(batch: int) -> dict[str, Tensor]:
    """Noisy latents, steps and residuals, as the specs have them."""
    spec = specs.network(MINI, "unet")
    return dict(zip((port.name for port in spec.inputs), example(spec, {"batch": batch}, batch), strict=True))


@torch.no_grad()
def _arrays(batch: int, parts: Parts) -> Arrays:
    """For a UNet whose keys and values are made beforehand, of the same tokens."""
    words, face = _tokens(batch)
    made = {"text_kv": parts.generator.text.project(words), "id_kv": parts.generator.cross_kv(face, torch.ones(batch))}
    return {name: np.ascontiguousarray(value.numpy()) for name, value in (_given(batch) | made).items()}


def _by_torch(unet: PlainUnet, batch: int, *, compiled: bool = False) -> Callable[[], Any]:
    words, face = _tokens(batch)
    given = _given(batch)
    with torch.no_grad():
        known = unet.attend(words, face)
    control = [value for name, value in given.items() if name.startswith("control")]
    run: Any = torch.compile(unet, dynamic=False) if compiled else unet

    def step() -> Any:
        with torch.no_grad():
            return run(given["sample"], given["timestep"], words, known, *control).numpy()

    step()
    return step


def _channels_last(unet: PlainUnet) -> PlainUnet:
    found: nn.Module = unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(found, PlainUnet)
    return found


def _by_rows(batch: int, parts: Parts) -> Callable[[], Any]:
    """The engine as the server's denoiser runs it."""
    run, arrays = session(REPOSITORY / "unet" / "1" / "model.onnx", THREADS), _arrays(batch, parts)
    cut = [{name: value[row : row + ROWS_AT_ONCE] for name, value in arrays.items()} for row in range(0, batch, ROWS_AT_ONCE)]
    return lambda: np.concatenate([run(rows)["prediction"] for rows in cut])


def _by_onnxruntime(batch: int, parts: Parts) -> Callable[[], Any]:
    """The exported graph with settings as they come, but for the threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    opened, arrays = onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"]), _arrays(batch, parts)
    return lambda: opened.run(["prediction"], arrays)[0]


def _by_openvino(batch: int, parts: Parts, precision: str) -> Callable[[], Any]:
    """The exported graph, for any batch: made for one alone, OpenVINO 2026.4 does not take a batch of 1."""
    import openvino

    arrays = _arrays(batch, parts)
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": precision}
    request = openvino.Core().compile_model(GRAPH, "CPU", settings).create_infer_request()
    return lambda: request.infer(arrays)[0].copy()

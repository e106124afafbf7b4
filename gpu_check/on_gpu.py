"""Not run on a GPU: none was at hand. A plan of TensorRT or TensorRT-RTX on the GPU, and graphs by ONNX Runtime's providers for GPUs.

Beside this, the dry run of `make gpu-check` leaves out what docs/gpu-check.md lists: plans in the denoiser, another Triton, the builder for TensorRT.
"""

import functools
from pathlib import Path

from omokage import plan as plans
from omokage.system import Arrays

from engines import sidecar, tensorrt
from engines.device import device
from engines.errors import BadEngine, MissingPiece
from engines.sidecar import Recipe
from measure.in_process import Run

PROVIDERS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider"}


def plan(engine: Path, recipe: Recipe) -> Run:
    """A plan by the denoiser's own runner (`client/omokage/plan.py`): inputs are copied to the GPU and outputs back in every call.

    Raises BadEngine for one that is damaged, stale, or for another GPU or version; MissingPiece without a GPU or a runtime.
    """
    told = sidecar.verify(engine, recipe)
    tensorrt.fits(told, device())
    gpu = _gpu()
    return plans.fetched(gpu, plans.opened(engine, recipe.network, gpu))


_gpu = functools.cache(plans.here)


def by_onnxruntime(graph: Path, provider: str) -> Run:
    """A graph by ONNX Runtime on the GPU. Raises MissingPiece where the provider is not in this build, BadEngine where it fell back to the CPU."""
    import onnxruntime

    name = PROVIDERS[provider]
    if name not in onnxruntime.get_available_providers():
        raise MissingPiece(f"ONNX Runtime {onnxruntime.__version__} has no {name}; run `pip install onnxruntime-gpu` in place of onnxruntime")
    opened = onnxruntime.InferenceSession(str(graph), providers=[name])
    if name not in opened.get_providers():
        raise BadEngine(f"ONNX Runtime took {', '.join(opened.get_providers())} for {graph.stem}, wanted {name}; its log says why")
    names, inputs = [port.name for port in opened.get_outputs()], {port.name for port in opened.get_inputs()}

    def run(given: Arrays) -> Arrays:
        return dict(zip(names, opened.run(names, {key: value for key, value in given.items() if key in inputs}), strict=True))

    return run

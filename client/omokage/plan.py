"""A plan of TensorRT or TensorRT-RTX in this process: what lies on the GPU is read where it lies, and calls of one size are one CUDA graph.

Not run on a GPU: none was at hand. Tests go through all of `Plan` with stand-ins for TensorRT and CuPy; `here` and `opened` are what they replace.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage import engine
from omokage.errors import InvalidRequest
from omokage.system import Arrays

MODULES = {"tensorrt-rtx": "tensorrt_rtx", "tensorrt": "tensorrt"}
"""How a target's name begins -> the Python module that runs its plans; one cannot read the plans of the other."""
BATCHES = (1, 2, 4, 8, 16)
"""Rows are rounded up to one of these, so that there are few graphs."""
CACHE = ".cache"  # what is put to a plan's name for the kernels that RTX has compiled for this GPU


@dataclass(frozen=True)
class Gpu:
    """`arrays`: CuPy; `stream`: one of its streams, of the kind that keeps its order with what CuPy does elsewhere."""

    arrays: Any
    stream: Any


def here() -> Gpu:
    """This machine's first GPU. Raises InvalidRequest where there is none, or no CuPy."""
    try:
        cupy = importlib.import_module("cupy")
        cupy.cuda.Device(0).use()
        return Gpu(cupy, cupy.cuda.Stream())
    except ImportError:
        raise InvalidRequest("CuPy is not installed; run `pip install -r requirements/apart/gpu-check.txt`") from None
    except Exception as error:  # CuPy's errors are CUDA's, of many kinds
        raise InvalidRequest(f"no GPU that CuPy can use ({error}); run this where an NVIDIA GPU and its driver are") from None


def opened(path: Path, name: str, gpu: Gpu) -> "Plan":
    """The plan of a network, with its side-car beside it. Raises InvalidRequest where it is not whole, or not one for this GPU and version."""
    target = engine.recipe_of(path, name)["target"]
    module = next((found for begins, found in MODULES.items() if target.startswith(begins)), None)
    if module is None:
        raise InvalidRequest(f"the engine of {name} is for {target}; wanted a plan, of one of: {', '.join(MODULES.values())}")
    try:
        trt = importlib.import_module(module)
    except ImportError:
        raise InvalidRequest(f"the Python package {module} is not installed, and {name} is a plan for it; docs/gpu-check.md says which") from None
    plan = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(path.read_bytes())
    if plan is None:
        raise InvalidRequest(f"{module} {trt.__version__} cannot read the plan of {name} on this GPU; build it here: `make engines TARGET={target}`")
    return Plan(gpu, trt, plan, *_contexts(trt, plan, path.with_name(path.name + CACHE)))


def fetched(gpu: Gpu, run: Callable[[Arrays], Arrays]) -> Callable[[Arrays], Arrays]:
    """The same with its outputs brought to the processor."""
    return lambda given: {name: gpu.arrays.asnumpy(value) for name, value in run(given).items()}


class Plan:
    """Inputs by name, with rows or without, on the GPU or not -> outputs on the GPU, which the next call writes over. For one thread at a time.

    Rows beyond those given are whatever lies there, and nobody sees what becomes of them. `graphs`: keep a CUDA graph for each size and place;
    TensorRT-RTX does that itself. `prepared`: called whenever a size or place came for the first time.
    """

    def __init__(
        self,
        gpu: Gpu,
        trt: Any,
        plan: Any,
        contexts: Callable[[], Any],
        graphs: bool = True,
        prepared: Callable[[], None] = lambda: None,
    ) -> None:
        self._gpu, self._contexts, self._graphs, self._prepared = gpu, contexts, graphs, prepared
        names = [plan.get_tensor_name(place) for place in range(plan.num_io_tensors)]
        self._inputs = [name for name in names if plan.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in self._inputs]
        self._dtypes = {name: trt.nptype(plan.get_tensor_dtype(name)) for name in names}
        self._batched = all(plan.get_tensor_shape(name)[0] == -1 for name in self._inputs)
        self._buffers: dict[tuple[str, tuple[int, ...]], Any] = {}
        self._calls: dict[tuple[Any, ...], tuple[Callable[[], None], Arrays]] = {}

    def __call__(self, given: Arrays) -> Arrays:
        """Raises InvalidRequest for shapes that the plan does not take."""
        rows = len(given[self._inputs[0]])
        batch = _rounded(rows, BATCHES) if self._batched else rows
        inputs = {name: self._placed(name, given[name], batch) for name in self._inputs}
        key = tuple((_address(value), value.shape) for value in inputs.values())
        if key in self._calls:
            self._calls[key][0]()
        else:
            self._calls[key] = self._first(inputs)
            self._prepared()
        return {name: value[:rows] if self._batched else value for name, value in self._calls[key][1].items()}

    def _placed(self, name: str, value: Any, batch: int) -> Any:
        """Where it lies, if that is the front of a larger array on the GPU, with enough rows; else a copy in a place of its own. An array that is no
        part of another may be gone after the call, and every place costs a context and a graph."""
        whole, shape = value.base, (batch, *value.shape[1:])
        in_front = (
            whole is not None and _on_gpu(value) and whole.shape[1:] == shape[1:] and len(whole) >= batch and _address(whole) == _address(value)
        )
        if in_front and value.dtype == self._dtypes[name]:
            return whole[:batch]
        if (name, shape) not in self._buffers:
            self._buffers[name, shape] = self._gpu.arrays.zeros(shape, self._dtypes[name])
        buffer = self._buffers[name, shape]
        buffer[: len(value)] = self._gpu.arrays.asarray(value, self._dtypes[name])
        return buffer

    def _first(self, inputs: Arrays) -> tuple[Callable[[], None], Arrays]:
        """Run it, and what runs it again. A context of its own, since a graph must not be told new shapes."""
        context, stream = self._contexts(), self._gpu.stream
        for name, value in inputs.items():
            if not context.set_input_shape(name, tuple(value.shape)):
                raise InvalidRequest(f"{name} has shape {tuple(value.shape)}, which the plan does not take; give what its spec says")
        outputs = {name: self._gpu.arrays.zeros(tuple(context.get_tensor_shape(name)), self._dtypes[name]) for name in self._outputs}
        for name, value in (inputs | outputs).items():
            context.set_tensor_address(name, _address(value))

        def enqueue() -> None:
            if not context.execute_async_v3(stream.ptr):
                raise RuntimeError("TensorRT could not run the plan; its own lines say why")

        enqueue()  # before a graph is made: the first run allocates
        if not self._graphs:
            return enqueue, outputs
        stream.synchronize()
        stream.begin_capture()
        enqueue()
        graph = stream.end_capture()
        return lambda: graph.launch(stream), outputs


def _rounded(rows: int, sizes: Sequence[int]) -> int:
    """The least of the sizes that has room. Raises InvalidRequest."""
    for size in sizes:
        if size >= rows:
            return size
    raise InvalidRequest(f"{rows} rows came at once; a plan takes at most {sizes[-1]}")


def _contexts(trt: Any, plan: Any, cache: Path) -> tuple[Callable[[], Any], bool, Callable[[], None]]:
    """What makes contexts, whether graphs are to be kept of them, and what keeps for the next start what was compiled (RTX compiles on the GPU)."""
    settings: Any = plan.create_runtime_config() if hasattr(plan, "create_runtime_config") else None
    if not hasattr(settings, "create_runtime_cache"):
        return plan.create_execution_context, True, lambda: None
    kernels = settings.create_runtime_cache()
    if cache.exists():
        kernels.deserialize(cache.read_bytes())
    settings.set_runtime_cache(kernels)
    settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
    settings.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER

    def keep() -> None:
        partial = cache.with_name("partial-" + cache.name)
        partial.write_bytes(bytes(kernels.serialize()))
        partial.replace(cache)

    return lambda: plan.create_execution_context(settings), False, keep


def _on_gpu(value: Any) -> bool:
    return hasattr(value, "__cuda_array_interface__")


def _address(value: Any) -> int:
    return int(value.__cuda_array_interface__["data"][0])

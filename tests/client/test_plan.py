"""A plan is run with stand-ins for TensorRT and CuPy: what is copied, what is read where it lies, and what a CUDA graph repeats."""

import ctypes
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from omokage import plan
from omokage.errors import InvalidRequest
from omokage.plan import Gpu, Plan, fetched

from tests.gpu import CuPy

INPUT, OUTPUT = "input", "output"
ROWS, SIDE = 16, 3


class Stream:
    """Notes what is enqueued while a graph is made, and does not run it then."""

    ptr = 7

    def __init__(self) -> None:
        self.making: list[Callable[[], None]] | None = None

    def enqueue(self, work: Callable[[], None]) -> None:
        work() if self.making is None else self.making.append(work)

    def synchronize(self) -> None:
        assert self.making is None

    def begin_capture(self) -> None:
        self.making = []

    def end_capture(self) -> Any:
        made, self.making = self.making or [], None

        def launch(stream: Stream) -> None:
            for work in made:
                stream.enqueue(work)

        return SimpleNamespace(launch=launch)


class Context:
    """Of a network y = 2 x + t."""

    def __init__(self, gpu: Gpu, most: int = ROWS) -> None:
        self.gpu, self.most, self.runs = gpu, most, 0
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        return shape[0] <= self.most and (name == "t" or shape[1:] == (SIDE,))

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shapes["x"]

    def set_tensor_address(self, name: str, address: int) -> None:
        self.addresses[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        assert stream == Stream.ptr
        addresses, shapes = dict(self.addresses), {**self.shapes, "y": self.shapes["x"]}

        def at(name: str, kind: Any) -> Any:
            count = int(np.prod(shapes[name]))
            return np.frombuffer((kind * count).from_address(addresses[name]), kind).reshape(shapes[name])

        def work() -> None:
            self.runs += 1
            at("y", ctypes.c_float)[:] = 2 * at("x", ctypes.c_float) + at("t", ctypes.c_int64)[:, None]

        self.gpu.stream.enqueue(work)
        return True


class Engine:
    """What TensorRT tells of a plan."""

    num_io_tensors = 3
    batch = -1

    def get_tensor_name(self, place: int) -> str:
        return "xty"[place]

    def get_tensor_mode(self, name: str) -> str:
        return OUTPUT if name == "y" else INPUT

    def get_tensor_dtype(self, name: str) -> Any:
        return np.int64 if name == "t" else np.float32

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return (self.batch,) if name == "t" else (self.batch, SIDE)


TRT = SimpleNamespace(TensorIOMode=SimpleNamespace(INPUT=INPUT), nptype=lambda dtype: np.dtype(dtype))


@pytest.fixture
def gpu() -> Gpu:
    return Gpu(CuPy(), Stream())


def opened(gpu: Gpu, made: list[Context], **how: Any) -> Plan:
    def context() -> Context:
        made.append(Context(gpu))
        return made[-1]

    return Plan(gpu, TRT, Engine(), context, **how)


def given(rows: int, start: int = 0) -> dict[str, Any]:
    return {"x": np.arange(start, start + rows * SIDE, dtype=np.float32).reshape(rows, SIDE), "t": np.arange(rows)}


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 16])
def test_every_row_is_computed_the_first_time_and_every_other(gpu: Gpu, rows: int, graphs: bool) -> None:
    run = fetched(gpu, opened(gpu, [], graphs=graphs))
    for start in (0, 100, 200):
        arrays = given(rows, start)
        np.testing.assert_array_equal(run(arrays)["y"], 2 * arrays["x"] + arrays["t"][:, None])


def test_rows_are_rounded_up_so_that_few_graphs_are_made(gpu: Gpu) -> None:
    made: list[Context] = []
    run = opened(gpu, made)
    for rows in (1, 2, 3, 4, 3, 4, 5, 8, 1):
        assert len(run(given(rows))["y"]) == rows
    assert [context.shapes["x"][0] for context in made] == [1, 2, 4, 8]


def test_what_lies_in_front_on_the_gpu_is_not_copied_and_may_change_between_calls(gpu: Gpu) -> None:
    made: list[Context] = []
    run, held = fetched(gpu, opened(gpu, made)), gpu.arrays.zeros((ROWS, SIDE), np.float32)
    for number in (1.0, 2.0):
        held[:3] = number
        found = run({"x": held[:3], "t": np.zeros(3, np.int64)})["y"]
        np.testing.assert_array_equal(found, np.full((3, SIDE), 2 * number))
    assert gpu.arrays.brought == 6  # the steps alone
    assert len(made) == 1
    assert made[0].addresses["x"] == held.ctypes.data


def test_what_lies_further_back_or_has_too_few_rows_behind_it_is_copied_on_the_gpu(gpu: Gpu) -> None:
    made: list[Context] = []
    run, held = fetched(gpu, opened(gpu, made)), gpu.arrays.zeros((ROWS, SIDE), np.float32)
    held[:] = np.arange(ROWS)[:, None]
    for rows in (held[13:16], held[1:4]):
        np.testing.assert_array_equal(run({"x": rows, "t": np.zeros(3, np.int64)})["y"], 2 * np.asarray(rows))
    assert len(made) == 1
    assert made[0].addresses["x"] != held.ctypes.data


def test_arrays_on_the_gpu_that_come_and_go_make_no_context_each(gpu: Gpu) -> None:
    made: list[Context] = []
    run, kept = fetched(gpu, opened(gpu, made)), []
    for number in range(10):
        passing = gpu.arrays.zeros((4, SIDE), np.float32)
        passing[:] = number
        kept.append(passing)  # so that none gets the place of another
        np.testing.assert_array_equal(run({"x": passing, "t": np.zeros(4, np.int64)})["y"], np.full((4, SIDE), 2.0 * number))
    assert len(made) == 1


def test_a_network_without_rows_is_run_as_it_is(gpu: Gpu) -> None:
    class Fixed(Engine):
        batch = 3

    made: list[Context] = []
    run = Plan(gpu, TRT, Fixed(), lambda: made.append(Context(gpu)) or made[-1])  # type: ignore[func-returns-value]
    assert run(given(3))["y"].shape == (3, SIDE)
    assert made[0].shapes["x"] == (3, SIDE)


def test_more_rows_than_the_plan_takes_and_other_shapes_are_refused(gpu: Gpu) -> None:
    run = opened(gpu, [])
    with pytest.raises(InvalidRequest, match="17 rows came at once; a plan takes at most 16"):
        run(given(17))
    with pytest.raises(InvalidRequest, match=r"x has shape \(2, 4\), which the plan does not take"):
        run({"x": np.zeros((2, 4), np.float32), "t": np.zeros(2, np.int64)})


def test_what_was_compiled_is_kept_once_for_each_size(gpu: Gpu) -> None:
    kept: list[int] = []
    run = opened(gpu, [], graphs=False, prepared=lambda: kept.append(1))
    for rows in (1, 1, 2, 2):
        run(given(rows))
    assert len(kept) == 2


class Kernels:
    """RTX's cache of compiled kernels."""

    held = b""

    def deserialize(self, data: bytes) -> None:
        self.held = data

    def serialize(self) -> bytes:
        return self.held + b"k"


def told(folder: Path, target: str) -> Path:
    """A plan and its side-car."""
    import hashlib

    path = folder / "model.plan"
    path.write_bytes(b"vtrt")
    recipe = {"network": "unet", "family": "mini", "target": target}
    path.with_name("model.plan.json").write_text(json.dumps({"recipe": recipe, "sha256": hashlib.sha256(b"vtrt").hexdigest()}))
    return path


def module(gpu: Gpu, plan_read: Any) -> Any:
    """A stand-in for tensorrt_rtx that reads a plan as this."""
    runtime = SimpleNamespace(deserialize_cuda_engine=lambda data: plan_read)
    return SimpleNamespace(
        **vars(TRT),
        __version__="1.7",
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        Runtime=lambda logger: runtime,
        CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole"),
        DynamicShapesKernelSpecializationStrategy=SimpleNamespace(EAGER="eager"),
    )


def test_rtx_makes_its_own_graphs_and_its_kernels_outlive_the_process(gpu: Gpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Rtx(Engine):
        def create_runtime_config(self) -> Any:
            return SimpleNamespace(create_runtime_cache=Kernels, set_runtime_cache=seen.append)

        def create_execution_context(self, settings: Any) -> Context:
            assert (settings.cuda_graph_strategy, settings.dynamic_shapes_kernel_specialization_strategy) == ("whole", "eager")
            return Context(gpu)

    monkeypatch.setitem(__import__("sys").modules, "tensorrt_rtx", module(gpu, Rtx()))
    for held in (b"k", b"kk"):
        run = plan.opened(told(tmp_path, "tensorrt-rtx"), "unet", gpu)
        run(given(2))
        assert (tmp_path / "model.plan.cache").read_bytes() == held
    assert [one.held for one in seen] == [b"", b"k"]


def test_a_plan_that_this_gpu_cannot_read_is_told(gpu: Gpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorrt_rtx", module(gpu, None))
    with pytest.raises(
        InvalidRequest, match=r"tensorrt_rtx 1\.7 cannot read the plan of unet on this GPU; build it here: `make engines TARGET=tensorrt"
    ):
        plan.opened(told(tmp_path, "tensorrt-rtx"), "unet", gpu)


def test_an_engine_of_the_cpu_and_a_damaged_plan_are_refused(gpu: Gpu, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="the engine of unet is for cpu; wanted a plan"):
        plan.opened(told(tmp_path, "cpu"), "unet", gpu)
    path = told(tmp_path, "tensorrt-rtx")
    path.write_bytes(b"vtrx")
    with pytest.raises(InvalidRequest, match="damaged"):
        plan.opened(path, "unet", gpu)


def test_without_cupy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    with pytest.raises(InvalidRequest, match="CuPy is not installed; run `pip install"):
        plan.here()

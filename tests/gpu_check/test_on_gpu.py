"""What comes before a plan is run: the GPU is asked for, and engines of other GPUs and versions are refused. The rest is not run on a GPU."""

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from omokage.system import Arrays

from engines import sidecar, tensorrt
from engines.device import Device, device
from engines.errors import BadEngine, MissingPiece
from engines.sidecar import Port, Recipe, Sidecar
from engines.tensorrt import fits
from export.families import FAMILIES
from gpu_check import on_gpu, serving, steps
from gpu_check.steps import Setting
from measure.in_process import Run
from server_config import runtime
from server_config.arguments import Ports, arguments
from server_config.errors import MissingPiece as NoTriton

ADA = Device("NVIDIA GeForce RTX 4090", "SM89", "575.51", 24564)


def answering(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str, code: int = 0) -> None:
    """A driver's `nvidia-smi` that says this."""
    script = folder / "nvidia-smi"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}'\nexit {code}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_gpu_is_told_as_its_driver_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(tmp_path, monkeypatch, "NVIDIA GeForce RTX 4090, 8.9, 575.51, 24564")
    assert device() == ADA


@pytest.mark.parametrize(
    ("says", "code", "wanted"),
    [
        ("NVIDIA-SMI has failed because it could not communicate with the driver", 9, "no GPU here: nvidia-smi says NVIDIA-SMI has failed"),
        ("RTX 4090, 8.9", 0, "which is no name, capability, driver and memory"),
        ("RTX 4090, 8.9, 575, plenty", 0, "which is no name, capability, driver and memory"),
    ],
)
def test_a_driver_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, code: int, wanted: str) -> None:
    answering(tmp_path, monkeypatch, says, code)
    with pytest.raises(MissingPiece, match=wanted):
        device()


def recipe(target: str = tensorrt.RTX, built_by: str = "tensorrt_rtx 1.7") -> Recipe:
    options = {"capabilities": ["SM86", "SM89"]} if target.startswith(tensorrt.RTX) else {}
    return Recipe("mini", "unet", target, built_by, options, "graph", "weights")


def told(made: Recipe, data: bytes = b"vtrt plan") -> Sidecar:
    ports = (Port("x", "fp32", ("batch", 3)),), (Port("y", "fp32", ("batch", 3)),)
    return Sidecar(made, made.key, *ports, hashlib.sha256(data).hexdigest(), 1.0)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "runtime", lambda target: {"tensorrt-rtx": "tensorrt_rtx 1.7", "tensorrt": f"tensorrt 10.9 on {ADA.name}"}[target])


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("target", ["tensorrt-rtx", "tensorrt-rtx-fp8"])
def test_a_plan_for_other_generations_is_refused(target: str) -> None:
    fits(told(recipe(target)), ADA)
    with pytest.raises(BadEngine, match=r"unet is for SM86, SM89; this GPU \(T4\) is SM75, which is not among its targets"):
        fits(told(recipe(target)), Device("T4", "SM75", "575.51", 15360))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("target", "by"), [("tensorrt-rtx", "tensorrt_rtx 1.6"), ("tensorrt", "tensorrt 10.9 on SM86"), ("tensorrt", "tensorrt 10.8 on SM89")]
)
def test_a_plan_by_another_version_or_on_another_gpu_is_refused(target: str, by: str) -> None:
    with pytest.raises(BadEngine, match=f"unet was built by {by}, here is .*run `make engines FAMILY=mini TARGET={target}` here"):
        fits(told(recipe(target, by)), ADA)


def test_plans_of_the_data_center_are_known_by_the_gpu_that_they_were_built_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "10.9")
    monkeypatch.setattr(tensorrt, "device", lambda: ADA)
    assert tensorrt.runtime(tensorrt.DATA_CENTER) == f"tensorrt 10.9 on {ADA.name}"
    assert tensorrt.runtime(tensorrt.RTX) == "tensorrt_rtx 10.9"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "model.plan"
    path.write_bytes(b"vtrt plan")
    sidecar.write(told(recipe()), path)
    return path


def test_a_damaged_plan_is_refused_before_anything_runs(plan: Path) -> None:
    plan.write_bytes(b"vtrt plam")
    with pytest.raises(BadEngine, match=r"unet/model\.plan is damaged"):
        on_gpu.plan(plan, recipe())


def test_a_plan_without_its_side_car_is_refused_before_anything_runs(plan: Path) -> None:
    sidecar.path_of(plan).unlink()
    with pytest.raises(BadEngine, match="no readable side-car"):
        on_gpu.plan(plan, recipe())


@pytest.mark.usefixtures("installed")
def test_a_plan_gets_its_inputs_alone_and_what_it_gives_is_kept(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner gives the same buffers again and again; here one that does."""
    buffer = np.zeros(3, np.float32)

    def runner(path: Path, name: str, gpu: object) -> Run:
        assert (path, name) == (plan, "unet")

        def run(given: Arrays) -> Arrays:
            buffer[:] = given["x"]
            return {"y": buffer}

        return run

    monkeypatch.setattr(on_gpu, "_gpu", lambda: SimpleNamespace(arrays=SimpleNamespace(asnumpy=np.array)))
    monkeypatch.setattr("omokage.plan.opened", runner)
    monkeypatch.setattr(on_gpu, "device", lambda: ADA)
    run = on_gpu.plan(plan, recipe())
    first = run({"x": np.ones(3, np.float32), "weight": np.ones(1)})
    run({"x": np.zeros(3, np.float32)})
    np.testing.assert_array_equal(first["y"], 1)


@pytest.mark.parametrize("provider", on_gpu.PROVIDERS)
def test_a_provider_that_onnx_runtime_has_not_is_told(tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingPiece, match=f"has no {on_gpu.PROVIDERS[provider]}; run `pip install onnxruntime-gpu`"):
        on_gpu.by_onnxruntime(tmp_path / "g.onnx", provider)


def test_a_triton_elsewhere_serves_the_configs_of_tensorrt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bin/tritonserver", "backends/python/triton_python_backend_stub", "backends/tensorrt/libtriton_tensorrt.so"):
        (tmp_path / "triton" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "triton" / name).touch()
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        (tmp_path / "triton" / "backends" / "python" / name).touch()
    monkeypatch.setenv(runtime.ELSEWHERE, str(tmp_path / "triton"))
    found = runtime.find_triton()
    assert found.target == "tensorrt"
    backends = runtime.lay_out(tmp_path / "backends", found)
    assert (backends / "tensorrt" / "libtriton_tensorrt.so").exists()
    given = arguments(found, tmp_path, backends, Ports(), "prefix", "key")
    assert not [argument for argument in given if "model-config-name" in argument]
    (tmp_path / "triton" / "backends" / "tensorrt" / "libtriton_tensorrt.so").unlink()
    (tmp_path / "triton" / "backends" / "tensorrt").rmdir()
    with pytest.raises(NoTriton, match="which has no backends/tensorrt; give the folder of a Triton with a TensorRT backend"):
        runtime.find_triton()


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("cpu", [("the server", None)]),
        ("tensorrt", [("the server", None), ("the server, plans in the denoiser", "plans")]),
        ("tensorrt-rtx", [("the server, plans in the denoiser", "plans")]),
    ],
)
def test_a_server_is_measured_with_plans_in_the_denoiser_where_there_are_plans(
    target: str, wanted: list[tuple[str, str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []
    placed: list[str] = []
    monkeypatch.delenv(steps.DENOISER, raising=False)
    monkeypatch.setattr(steps, "_served_by", lambda setting: None)
    monkeypatch.setattr(steps, "install", lambda engines, family, target, repository, networks: placed.extend(networks))

    def served(steps_each: int, portraits: int, clients: tuple[int, ...], way: str = "the server") -> list[object]:
        seen.append((way, os.environ.get(steps.DENOISER)))
        return []

    monkeypatch.setattr(serving, "served", served)
    steps.served(Setting(target, FAMILIES["mini"], tmp_path))
    assert seen == wanted
    assert placed == (["unet", "controlnet_pose"] if target == "tensorrt-rtx" else [])
    assert steps.DENOISER not in os.environ


def test_the_denoiser_knows_the_word_for_plans() -> None:
    said = (runtime.BACKENDS.parents[1] / "model_repository" / "denoiser" / "1" / "runners.py").read_text()
    assert f'ASKED = "{steps.DENOISER}"' in said
    assert f'PLANS, TRITON = "here", "{steps.PLANS}", "triton"' in said

"""Engines that say something else are found, and what is measured is counted right."""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from omokage.system import Arrays
from onnx import TensorProto, helper

from export import specs
from export.families import FAMILIES, Family
from export.tensors import Axis, Network, Tensor
from gpu_check import networks, serving, steps
from gpu_check.steps import Failed, Setting
from measure.bench import results
from measure.in_process import Run, session

MINI = FAMILIES["mini"]
ROWS = Axis("batch", 1, 2, 4)
DOUBLED = Network("doubled", "twice", (Tensor("x", "fp32", (ROWS, 3), "any"),), (Tensor("y", "fp32", (ROWS, 3), "twice x"),))


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a family that has one network."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
    definition = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", ports[:1], ports[1:])
    onnx.save(helper.make_model(definition, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(tmp_path / "doubled.onnx"))
    monkeypatch.setattr(specs, "networks", lambda family: {"doubled": DOUBLED})
    return tmp_path / "doubled.onnx"


def test_an_engine_that_says_the_same_is_alike_at_every_batch_it_takes(graph: Path) -> None:
    rows = list(networks.parity(MINI, lambda name: session(graph), {"doubled": graph}, most=1e-6))
    assert [(row["batch"], row["error"], row["alike"]) for row in rows] == [(1, 0.0, True), (2, 0.0, True)]


@pytest.mark.parametrize(
    "wrong",
    [lambda y: y * 1.01, lambda y: np.where(np.arange(y.size).reshape(y.shape) == 1, np.nan, y), lambda y: y[:, :2]],
    ids=["off", "nan", "shape"],
)
def test_an_engine_that_says_something_else_is_found(graph: Path, wrong: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = session(graph)

    def engine(given: Arrays) -> Arrays:
        return {"y": wrong(right(given)["y"])}  # type: ignore[arg-type, dict-item]

    monkeypatch.setattr(steps, "engines_of", lambda setting: lambda name: engine)
    monkeypatch.setattr(steps, "graphs", lambda setting: {"doubled": graph})
    with pytest.raises(Failed, match="not alike within 1e-04: doubled at batch 1") as failed:
        steps.parity(Setting("cpu", MINI, Path()))
    assert not any(row["alike"] for row in failed.value.facts["networks"])


def test_calls_are_timed(graph: Path) -> None:
    def slow(given: Arrays) -> Arrays:
        time.sleep(0.002)
        return given

    (row,) = networks.speed(MINI, lambda name: slow, times=4)
    assert (row["network"], row["batch"]) == ("doubled", 2)
    assert 2 <= row["lower_ms"] <= row["median_ms"] <= row["upper_ms"]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.slow
def test_inputs_are_of_their_kind_for_every_network_of_a_family(family: Family) -> None:
    for network in specs.networks(family).values():
        for batch in networks.batches(network, networks.BATCHES):
            given = networks.drawn(network, batch)
            for tensor in network.inputs:
                value = given[tensor.name]
                assert value.dtype == {"int64": np.int64, "fp32": np.float32, "fp16": np.float16}[tensor.dtype], tensor.name
                assert value.shape == tuple(dim if isinstance(dim, int) else batch for dim in tensor.dims)
                if "0..1" in tensor.says:
                    assert 0 <= value.min() <= value.max() <= 1


def test_portraits_of_several_clients_are_counted_together() -> None:
    seen: list[int] = []
    row = serving.row("some way", 3, 2, seen.append)
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]
    assert (row["clients"], row["portraits"]) == (3, 6)
    assert row["portraits_per_s"] > 0
    assert row["median_s"] <= row["longest_s"]


def test_a_client_that_fails_fails_the_measurement() -> None:
    def ask(seed: int) -> None:
        if seed == 4:
            raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        serving.row("some way", 2, 2, ask)


def test_a_baseline_that_cannot_be_had_does_not_take_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def alone(name: str, *rest: object) -> dict[str, object]:
        if "defaults" in name:
            raise RuntimeError("no such runtime")
        return {"way": name}

    monkeypatch.setattr(serving, "alone", alone)
    monkeypatch.setattr(steps, "graphs", lambda setting: {})
    with pytest.raises(Failed, match="ONNX Runtime's defaults, step by step: no such runtime") as failed:
        steps.baselines(Setting("cpu", MINI, tmp_path))
    assert len(failed.value.facts["portraits"]) == 1


@pytest.mark.parametrize("code", [0, 1])
def test_rows_of_the_bench_stand_against_their_aims_in_a_file_of_their_own(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[str]] = []

    def run(command: list[str], **how: object) -> SimpleNamespace:
        told.append(command)
        results.write(tmp_path / "bench.json", results.merged({}, "people", results.Found({"people_throughput_ratio": 0.9}, {}), {}))
        return SimpleNamespace(returncode=code, stderr="one\nno server")

    monkeypatch.setattr(steps, "subprocess", SimpleNamespace(run=run))
    setting = Setting("cpu", MINI, tmp_path, bench=tmp_path / "bench.json")
    wanted = [
        {"number": "throughput of 32 people and all systems mixed over one person and one system", "found": 0.9, "aim": "at least 0.97", "met": "no"}
    ]
    if code:
        with pytest.raises(Failed, match="the bench ended with code 1") as failed:
            steps.bench(setting)
        assert failed.value.facts == {"rows": wanted, "last_lines": "one\nno server"}
    else:
        assert steps.bench(setting) == {"rows": wanted}
    assert told[0][-3:] == ["--out", str(tmp_path / "bench.json"), "--quick"]


@pytest.mark.server
@pytest.mark.released
def test_a_dry_run_serves_measures_and_compares(tmp_path: Path) -> None:
    from gpu_check.__main__ import main

    few = ["--steps", "2", "--portraits", "1", "--clients", "1", "2"]
    assert main(["--dry-run", "--only", "machine", "engines", "serving", "baselines", *few, "--out", str(tmp_path)]) == 0
    text = (tmp_path / "report.md").read_text()
    assert "| the server | 2 | 2 |" in text
    assert "| engines of cpu, step by step in one process | 1 | 1 |" in text

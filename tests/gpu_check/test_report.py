"""Every step is taken whatever becomes of the others, and the report says so."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engines.device import Device
from export.families import FAMILIES
from gpu_check import __main__ as command
from gpu_check import networks, steps
from gpu_check.report import take, write
from gpu_check.steps import Facts, Failed, Setting, Step

SETTING = Setting("cpu", FAMILIES["mini"], Path("build/engines"))


def broken(setting: Setting) -> Facts:
    raise RuntimeError("the card is on fire")


def unlike(setting: Setting) -> Facts:
    raise Failed("not alike", {"networks": [{"network": "unet", "error": 0.5}]})


STEPS = (
    Step("broken", "nothing", broken),
    Step("unlike", "networks are alike", unlike),
    Step("elsewhere", "what the CPU does not have", broken, ("tensorrt",)),
    Step("fine", "numbers", lambda setting: {"seconds": 1.23456, "words": "two\nlines"}),
)


def test_a_step_that_fails_does_not_stop_the_others_and_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    results = list(take(STEPS, SETTING, said.append))
    assert [result.state for result in results] == ["failed", "failed", "skipped", "passed"]
    assert "RuntimeError: the card is on fire" in results[0].text
    page, data = write(results, SETTING, tmp_path / "new" / "folder")
    text = page.read_text()
    for wanted in (
        "| unlike | networks are alike | failed |",
        "| unet | 0.5 |",
        "not for cpu; it is for tensorrt",
        "- seconds: 1.23",
        "    two\n    lines",
    ):
        assert wanted in text
    assert "nothing here was run on a GPU" in text
    told = json.loads(data.read_text())
    assert [result["state"] for result in told["results"]] == ["failed", "failed", "skipped", "passed"]
    assert told["results"][3]["facts"]["seconds"] == 1.23456
    assert any("broken: failed" in line for line in said)


def test_what_is_about_portraits_is_left_out_for_a_family_that_the_server_has_not_and_its_engines_are_not_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[str] = []
    told = SimpleNamespace(seconds=1.0, sha256="0" * 64)
    monkeypatch.setattr(steps, "build", lambda *given: iter([("unet", told, True)]))
    monkeypatch.setattr(steps, "install", lambda *given: put.append("engine"))
    monkeypatch.setattr(steps, "install_tokenizer", lambda *given: put.append("tokenizer"))
    monkeypatch.setattr(networks, "parity", lambda *given: iter(()))
    monkeypatch.setattr(networks, "speed", lambda *given: iter(()))
    monkeypatch.setattr(steps, "graphs", lambda setting: {})
    results = {result.name: result for result in take(steps.STEPS, Setting("cpu", FAMILIES["sdxl"], tmp_path))}
    assert [name for name, result in results.items() if result.state == "skipped"] == ["server tests", "serving", "bench", "baselines"]
    assert "sdxl has engines only" in results["serving"].text
    assert [name for name, result in results.items() if result.state == "failed"] == []
    assert put == []
    list(take(steps.STEPS[1:2], Setting("cpu", FAMILIES["mini"], tmp_path)))
    assert put == ["engine", "tokenizer"]


@pytest.mark.parametrize(("which", "code"), [(["fine"], 0), (["elsewhere"], 0), (["fine", "broken"], 1)])
def test_the_exit_code_says_whether_anything_failed(which: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "STEPS", STEPS)
    assert command.main(["--dry-run", "--only", *which, "--out", str(tmp_path)]) == code
    assert (tmp_path / "report.md").exists()
    assert (tmp_path / "report.json").exists()


def test_what_was_found_stays_when_the_check_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(setting: Setting) -> Facts:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "STEPS", (STEPS[3], Step("interrupted", "nothing", interrupted)))
    with pytest.raises(KeyboardInterrupt):
        command.main(["--dry-run", "--out", str(tmp_path)])
    assert [result["name"] for result in json.loads((tmp_path / "report.json").read_text())["results"]] == ["fine"]


def test_without_a_gpu_it_says_so_at_once_and_names_the_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(command, "STEPS", STEPS)
    assert command.main(["--out", str(tmp_path / "report")]) == 1
    said = capsys.readouterr().err
    assert "no GPU here" in said
    assert "python -m gpu_check --dry-run" in said
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "magic"], "unknown step 'magic'; choose one of: machine, engines, parity"),
        (["--steps", "0"], "steps is 0; it must be 1 or more"),
        (["--calls", "1"], "calls is 1; it must be 2 or more"),
        (["--clients", "2", "-1"], "clients is -1; it must be 1 or more"),
        (["--family", "maxi"], "unknown family 'maxi'"),
    ],
)
def test_bad_requests_are_said(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--dry-run", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_every_step_of_the_released_check_has_a_name_of_its_own_and_says_what_it_shows() -> None:
    assert len({step.name for step in steps.STEPS}) == len(steps.STEPS) == 8
    assert all(step.shows and set(step.targets) <= set(steps.EVERYWHERE) for step in steps.STEPS)


def test_the_report_names_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "device", lambda: Device("RTX 4090", "SM89", "575.1", 24564))
    found = steps.machine(Setting("tensorrt-rtx", FAMILIES["mini"], Path()))
    assert (found["gpu_name"], found["gpu_capability"]) == ("RTX 4090", "SM89")
    assert found["builder"].startswith("tensorrt_rtx ")
    assert "gpu_name" not in steps.machine(SETTING)


@pytest.mark.parametrize("step", [steps.server_tests, steps.served])
def test_a_server_of_the_cpu_is_not_taken_for_one_of_the_gpu(step: Callable[[Setting], Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMOKAGE_TRITON", raising=False)
    with pytest.raises(Failed, match="the Triton here serves engines of cpu, wanted tensorrt; OMOKAGE_TRITON names one"):
        step(Setting("tensorrt", FAMILIES["mini"], Path()))


@pytest.mark.parametrize(("body", "passed"), [("assert True", True), ("assert False, 'wrong colour'", False)])
@pytest.mark.slow
def test_the_server_s_tests_are_run_and_what_they_say_is_told(tmp_path: Path, body: str, passed: bool) -> None:
    file = tmp_path / "test_one.py"
    file.write_text(f"def test_one():\n    {body}\n")
    setting = Setting("cpu", FAMILIES["mini"], Path(), tests=(str(file),))
    if passed:
        assert steps.server_tests(setting)["passed"] == 1
    else:
        with pytest.raises(Failed, match="pytest ended with code 1") as failed:
            steps.server_tests(setting)
        assert "wrong colour" in failed.value.facts["last_lines"]

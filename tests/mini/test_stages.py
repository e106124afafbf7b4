"""All stages run, one after the other, on real pictures; and again they find everything done."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.mini.__main__ import STAGE_NAMES, main
from training.mini.stages import STAGES, TOGETHER

pytestmark = pytest.mark.assets


@pytest.mark.filterwarnings("ignore")  # of the libraries that read the weights of MiniLM
def test_smoke_runs_every_stage_and_then_has_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["all", "--smoke", "--out", str(tmp_path)]
    assert main(arguments) == 0
    for stage in TOGETHER:
        numbers = [json.loads(line) for line in (tmp_path / stage / "numbers.jsonl").read_text().splitlines()]
        assert numbers[-1]["step"] == 2, stage
        assert (tmp_path / stage / "sheet.webp").exists()
        assert (tmp_path / stage / "loss.png").exists()
    before, after = (load_file(tmp_path / file) for file in ("autoencoder/finished.safetensors", "decoder/weights.safetensors"))
    assert {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])} == {"decoder"}, "latents stay as they are"
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pt")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pt")} == written
    shutil.rmtree(tmp_path / "base")
    (tmp_path / "generator" / "checkpoint.pt").unlink()
    assert main(["generator", *arguments[1:]]) == 0, "weights alone, as a release has them, are enough to go on from"


def test_the_command_names_every_stage() -> None:
    assert tuple(STAGES) == STAGE_NAMES


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["painting"], 2, "unknown stage 'painting'; choose one of: pictures, autoencoder"),
        (["generator", "--minutes", "0"], 2, "minutes is 0, it must be above 0"),
        (["corpus"], 1, "no shards in"),
        (["generator"], 1, "make them with `python -m training.mini corpus`"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--smoke", "--out", str(tmp_path)]) == code
    assert says in capsys.readouterr().err

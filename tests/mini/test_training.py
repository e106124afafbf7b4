"""The loop of all stages: exact after a stop, and stopping by itself when it diverges."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from training.mini.errors import Diverged
from training.mini.loop import Run, Schedule

STEPS = 10
SCHEDULE = Schedule(steps=STEPS, batch=4, learning_rate=1e-2, warmup=5)


class LineStage:
    """Learn y = 2x + 1 from noisy points."""

    name = "line"

    def __init__(self, schedule: Schedule = SCHEDULE) -> None:
        torch.manual_seed(0)
        self.schedule = schedule
        self.network: nn.Module = nn.Linear(1, 1)
        self.heavy: tuple[nn.Module, ...] = ()

    def batch(self, draw: np.random.Generator) -> Tensor:
        return torch.from_numpy(draw.normal(size=(4, 1)).astype(np.float32))

    def loss(self, batch: Tensor, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        wanted = 2 * batch + 1 + 0.1 * torch.randn(batch.shape, generator=noise)
        loss = (self.network(batch) - wanted).square().mean()
        return loss, {"square": loss.item()}

    def judge(self) -> tuple[dict[str, float], npt.NDArray[np.uint8]]:
        return {"weight": next(self.network.parameters()).item()}, np.zeros((8, 8, 3), np.uint8)


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "loss.jsonl").read_text().splitlines()]


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert Run(LineStage(), whole).train(quiet=True)
    for _ in range(STEPS):  # a checkpoint and a stop after every step
        if Run(LineStage(), parts).train(minutes=0, quiet=True):
            break
    assert losses(parts) == losses(whole)
    assert len(losses(whole)) == STEPS


def test_what_was_logged_after_the_last_checkpoint_is_done_again(tmp_path: Path) -> None:
    Run(LineStage(), tmp_path).train(quiet=True)
    before = losses(tmp_path)
    with (tmp_path / "loss.jsonl").open("a") as log:
        log.write(json.dumps({"step": STEPS + 1, "loss": 0.0}) + '\n{"step": 32, "lo')
    Run(LineStage(replace(SCHEDULE, steps=STEPS + 1)), tmp_path).train(quiet=True)
    assert losses(tmp_path)[:STEPS] == before
    assert len(losses(tmp_path)) == STEPS + 1
    assert losses(tmp_path)[STEPS] > 0


def test_every_checkpoint_brings_numbers_a_plot_and_a_sheet(tmp_path: Path) -> None:
    run = Run(LineStage(), tmp_path)
    run.train(quiet=True)
    assert json.loads((tmp_path / "numbers.jsonl").read_text())["step"] == STEPS
    assert (tmp_path / "loss.png").stat().st_size > 1000
    assert (tmp_path / "sheet.webp").exists()
    averaged = run.averaged()["weight"].item()
    assert json.loads((tmp_path / "numbers.jsonl").read_text())["weight"] == averaged != run.stage.network.state_dict()["weight"].item()


@pytest.mark.parametrize("bad", [float("nan"), 1e9])
def test_a_run_that_diverges_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path, bad: float) -> None:
    Run(LineStage(), tmp_path).train(quiet=True)
    good = (tmp_path / "checkpoint.pt").read_bytes()

    class Broken(LineStage):
        def loss(self, batch: Tensor, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
            loss, parts = super().loss(batch, noise)
            return loss * 0 + bad, parts

    with pytest.raises(Diverged, match=r"line diverged at step 11: loss .* start again with a lower learning rate"):
        Run(Broken(replace(SCHEDULE, steps=2 * STEPS)), tmp_path).train(quiet=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good


def test_the_learning_rate_warms_up_stays_and_comes_down() -> None:
    schedule = Schedule(steps=1000, batch=1, learning_rate=1.0, warmup=10, decay=0.5)
    rates = [schedule.rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:500] == [1.0] * 490
    assert all(a >= b for a, b in pairwise(rates[500:]))
    assert rates[-1] == pytest.approx(0.02, abs=1e-3)

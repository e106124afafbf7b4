"""Processes that train together: one network, everybody's gradients, exact after a stop."""

import json
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from training.mini import team
from training.mini.loop import Run, Schedule
from training.mini.team import Team, TeamBroke

pytestmark = pytest.mark.slow

STEPS = 6


class Weigh:
    """Learn the mean of what is drawn; the batches of the processes differ."""

    name = "weigh"
    schedule = Schedule(steps=STEPS, batch=4, learning_rate=1e-2, warmup=1)

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network: nn.Module = nn.Linear(1, 1)
        self.heavy: tuple[nn.Module, ...] = ()

    def batch(self, draw: np.random.Generator) -> Tensor:
        return torch.from_numpy(draw.normal(size=(4, 1)).astype(np.float32))

    def loss(self, batch: Tensor, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        return (self.network(batch) - 3).square().mean(), {"drawn": batch.mean().item()}

    def judge(self) -> tuple[dict[str, float], npt.NDArray[np.uint8]]:
        return {}, np.zeros((8, 8, 3), np.uint8)


def train(member: Team, folder: Path, minutes: float | None) -> None:
    stage = Weigh()
    run = Run(stage, folder, member)
    while not run.train(minutes=minutes, quiet=True):
        run = Run(stage := Weigh(), folder, member)
    (folder / f"{member.rank}.json").write_text(json.dumps([p.tolist() for p in stage.network.parameters()]))


def average(member: Team, folder: Path) -> None:
    weight = nn.Parameter(torch.zeros(3))
    weight.grad = torch.full((3,), float(member.rank))
    member.average([weight])
    (folder / f"{member.rank}.json").write_text(json.dumps(weight.grad.tolist()))


def desert(member: Team) -> None:
    if member.rank == 1:
        raise SystemExit(1)
    for _ in range(1000):
        member.agreed(True)


def read(folder: Path) -> list[object]:
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_all_take_the_mean_of_their_gradients(tmp_path: Path) -> None:
    team.run(2, average, tmp_path)
    assert read(tmp_path) == [[0.5, 0.5, 0.5]] * 2


def test_all_have_the_same_weights_at_the_end_and_a_stop_changes_nothing(tmp_path: Path) -> None:
    found = []
    for name, minutes in (("whole", None), ("parts", 0.0)):
        (tmp_path / name).mkdir()
        team.run(2, train, tmp_path / name, minutes)
        first, second = read(tmp_path / name)
        assert first == second
        found.append(first)
    assert found[0] == found[1]


def test_one_that_ends_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TeamBroke, match="start the stage again, it goes on"):
        team.run(2, desert)
    assert not torch.distributed.is_initialized()


def test_one_that_never_comes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "MEETING", timedelta(seconds=2))
    threads, cores = torch.get_num_threads(), os.sched_getaffinity(0)
    try:
        with pytest.raises(TeamBroke):
            team.join(0, 2, team.free_port())
    finally:
        torch.set_num_threads(threads)
        os.sched_setaffinity(0, cores)

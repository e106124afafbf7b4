"""One loop for every stage: the same steps whatever was interrupted, a moving average, checkpoints, a log, a plot, a sheet."""

import json
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from tqdm import tqdm

from export.networks import WEIGHTS
from training.mini import checkpoint
from training.mini.checkpoint import Checkpoint
from training.mini.errors import Diverged
from training.mini.plot import write_plot
from training.mini.team import Team

LOSS_LOG, NUMBERS_LOG = "loss.jsonl", "numbers.jsonl"
CHECKPOINT = "checkpoint.pt"
DIVERGED_FROM = 5.0  # times the best smoothed loss
SMOOTHING = 0.98
MOST_RANKS = 64  # so that no process draws the noise of another
ALONE = Team()
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast. Warm-up, then constant, then a cosine down to a fiftieth over the last `decay` of all steps."""

    steps: int
    batch: int  # rows of each process
    learning_rate: float
    warmup: int = 100
    decay: float = 0.3
    average: float = 0.999  # of the weights, per step
    weight_decay: float = 0.01
    clip: float = 1.0  # norm of all gradients
    seed: int = 0
    minutes_between_checkpoints: float = 4.0

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        warm = min(1.0, (step + 1) / self.warmup)
        start = self.steps * (1 - self.decay)
        down = 0.0 if step < start else (step - start) / max(1.0, self.steps - start)
        return self.learning_rate * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, down))))


class Stage(Protocol):
    """What a stage brings to the loop."""

    name: str
    schedule: Schedule
    network: nn.Module  # all that is trained
    heavy: tuple[nn.Module, ...]  # of those networks that always see the same shapes: worth compiling

    def batch(self, draw: np.random.Generator) -> Any:
        """What `loss` needs, drawn from `draw` alone; called ahead in another thread."""

    def loss(self, batch: Any, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """The loss to go down, and its parts by name."""

    def judge(self) -> tuple[dict[str, float], Image]:
        """Numbers on people never trained on, and a sheet [H, W, 3] RGB to look at; the network holds the averaged weights."""


class Run:
    """A stage's training in a folder."""

    def __init__(self, stage: Stage, folder: Path, team: Team = ALONE) -> None:
        self.stage, self.folder, self._team = stage, folder, team
        self.step, self.seconds = 0, 0.0
        self.smooth, self.best = math.nan, math.inf  # of the losses
        folder.mkdir(parents=True, exist_ok=True)
        parameters = [p for p in stage.network.parameters() if p.requires_grad]
        self._parameters = parameters
        self._average = [p.detach().clone() for p in parameters]
        schedule = stage.schedule
        self._optimizer = torch.optim.AdamW(parameters, schedule.learning_rate, betas=(0.9, 0.99), weight_decay=schedule.weight_decay, fused=True)
        if (folder / CHECKPOINT).exists():
            self._restore(checkpoint.load(folder / CHECKPOINT))
        if team.rank == 0:
            self._cut_logs()

    def _restore(self, saved: Checkpoint) -> None:
        self.stage.network.load_state_dict(saved.weights)
        self._average = [saved.average[name].clone() for name, p in self.stage.network.named_parameters() if p.requires_grad]
        self._optimizer.load_state_dict(saved.optimizer)
        self.step, self.seconds, self.smooth, self.best = saved.step, saved.seconds, saved.smooth_loss, saved.best_loss

    def _cut_logs(self) -> None:
        """Drop what was logged after the checkpoint: those steps are done again."""
        for name in (LOSS_LOG, NUMBERS_LOG):
            path = self.folder / name
            if path.exists():
                kept = [line for line in path.read_text().splitlines() if line.endswith("}") and json.loads(line)["step"] <= self.step]
                path.write_text("".join(line + "\n" for line in kept))

    def train(self, *, minutes: float | None = None, quiet: bool = False) -> bool:
        """Train to the end, or for about so many minutes; True at the end. Raises Diverged."""
        began = saved = time.monotonic()
        base = self.seconds
        schedule = self.stage.schedule
        rows, first = schedule.batch * self._team.size, self._team.rank == 0
        bar = tqdm(total=schedule.steps * rows, initial=self.step * rows, unit="img", disable=quiet or not first, desc=self.stage.name)
        with bar, (self.folder / LOSS_LOG if first else Path(os.devnull)).open("a") as log:
            for batch in self._batches():
                total, parts = self._one_step(batch)
                self._watch(total)
                log.write(json.dumps({"step": self.step, "loss": total} | parts) + "\n")
                bar.update(rows)
                now = time.monotonic()
                self.seconds = base + now - began
                over, due = self._team.agreed(
                    minutes is not None and now - began > minutes * 60, now - saved > schedule.minutes_between_checkpoints * 60
                )
                if over or due or self.step == schedule.steps:
                    log.flush()
                    if first:
                        self._keep()
                    self._team.agreed(True)  # nobody goes on, or begins again, before it is written
                    saved = time.monotonic()
                    if over:
                        break
        return self.step >= schedule.steps

    def _batches(self) -> Iterator[Any]:
        """Batches from the next step on, one made ahead."""
        schedule = self.stage.schedule

        def make(step: int) -> Any:
            return self.stage.batch(np.random.default_rng([schedule.seed, step, self._team.rank]))

        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(make, self.step)
            for step in range(self.step, schedule.steps):
                batch = ahead.result()
                ahead = pool.submit(make, step + 1)
                yield batch

    def _one_step(self, batch: Any) -> tuple[float, dict[str, float]]:
        schedule = self.stage.schedule
        for group in self._optimizer.param_groups:
            group["lr"] = schedule.rate(self.step)
        noise = torch.Generator().manual_seed((schedule.seed * 1_000_003 + self.step) * MOST_RANKS + self._team.rank)
        loss, parts = self.stage.loss(batch, noise)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._team.average(self._parameters)
        norm = nn.utils.clip_grad_norm_(self._parameters, schedule.clip)
        self._optimizer.step()
        self.step += 1
        decay = min(schedule.average, self.step / (self.step + 20))
        torch._foreach_lerp_(self._average, [p.detach() for p in self._parameters], 1 - decay)
        return loss.item(), {name: round(value, 5) for name, value in parts.items()} | {"gradient_norm": round(norm.item(), 4)}

    def _watch(self, loss: float) -> None:
        self.smooth = loss if math.isnan(self.smooth) else SMOOTHING * self.smooth + (1 - SMOOTHING) * loss
        if not math.isfinite(loss) or (self.step > self.stage.schedule.warmup and self.smooth > DIVERGED_FROM * self.best):
            raise Diverged(
                f"{self.stage.name} diverged at step {self.step}: loss {loss:.4g}, smoothed {self.smooth:.4g}, best {self.best:.4g}; the last good "
                f"checkpoint is kept in {self.folder}: start again with a lower learning rate (now {self.stage.schedule.learning_rate:g})"
            )
        self.best = min(self.best, self.smooth)

    def averaged(self) -> dict[str, Tensor]:
        """The network's state with the averaged weights."""
        state = {name: value.clone() for name, value in self.stage.network.state_dict().items()}
        names = [name for name, p in self.stage.network.named_parameters() if p.requires_grad]
        return state | dict(zip(names, self._average, strict=True))

    def _keep(self) -> None:
        """Checkpoint first, then judge: a crash while judging loses nothing."""
        network = self.stage.network
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        average = self.averaged()
        saved = Checkpoint(self.step, self.seconds, weights, average, self._optimizer.state_dict(), self.smooth, self.best)
        checkpoint.save(self.folder / CHECKPOINT, saved)
        checkpoint.save_weights(self.folder / WEIGHTS, average)
        network.load_state_dict(average)
        network.eval()
        with torch.no_grad(), torch.compiler.set_stance("force_eager"):  # other shapes: compiling them takes longer than they do
            numbers, sheet = self.stage.judge()
        network.load_state_dict(weights)
        network.train()
        with (self.folder / NUMBERS_LOG).open("a") as log:
            log.write(json.dumps({"step": self.step, "seconds": round(self.seconds)} | numbers) + "\n")
        write_plot(self.folder / LOSS_LOG, self.folder / "loss.png")
        from training.people.sheet import write_picture

        write_picture(self.folder / "sheet.webp", sheet)

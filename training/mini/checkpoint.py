"""All that a run needs to go on exactly where it stopped, in one file that is whole or not there."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from training.mini.errors import MissingPiece

State = dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """`weights` are the ones being trained, `average` their moving average (what is released)."""

    step: int
    seconds: float  # of training so far
    weights: State
    average: State
    optimizer: State
    smooth_loss: float
    best_loss: float  # of the smoothed ones


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write it beside, then rename: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(vars(checkpoint), partial)
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(path)


def save_weights(path: Path, weights: State) -> None:
    """Weights alone, in a file that any program may read. Processes of a team may write the same ones at once."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file({name: value.contiguous() for name, value in weights.items()}, partial)
    partial.replace(path)


def load(path: Path) -> Checkpoint:
    """Raises MissingPiece where there is none."""
    if not path.exists():
        raise MissingPiece(f"{path} is not there; train that stage first: `python -m training.mini --help` lists the stages in their order")
    return Checkpoint(**torch.load(path, weights_only=True))

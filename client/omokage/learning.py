"""How far the learning of a personal prior is: what is known, and how it goes on from there. It can be kept in a file and taken up again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from omokage.files import write_whole
from omokage.prior import Prior

RATE = 1e-3
WARMUP = 20  # steps
SHRINK = 1e-4  # of what is learned, each step at the full rate
FIRST, SECOND, TINY = 0.9, 0.99, 1e-8  # Adam's
SMOOTH = 0.95  # of the loss that is shown


@dataclass(frozen=True)
class Learning:
    """After `step` steps: the prior, Adam's means of its gradient and of the squares, and the mean of the last losses."""

    step: int
    prior: Prior
    mean: Prior
    square: Prior
    loss: float = 0.0

    @classmethod
    def begin(cls, prior: Prior) -> Self:
        nothing = Prior.of({name: np.zeros_like(value) for name, value in vars(prior).items()})
        return cls(0, prior, nothing, nothing)

    def moved(self, gradient: Prior, steps: int, loss: float) -> "Learning":
        """Adam (Kingma and Ba 2015, algorithm 1) with decay of what is learned (Loshchilov and Hutter 2019); the rate rises, then falls along a
        cosine to nothing after `steps`."""
        number = self.step + 1
        rate = RATE * min(1.0, number / WARMUP) * 0.5 * (1 + np.cos(np.pi * min(1.0, number / steps)))
        prior, mean, square = {}, {}, {}
        for name, slope in vars(gradient).items():
            mean[name] = np.float32(FIRST) * getattr(self.mean, name) + np.float32(1 - FIRST) * slope
            square[name] = np.float32(SECOND) * getattr(self.square, name) + np.float32(1 - SECOND) * slope**2
            way = mean[name] / (1 - FIRST**number) / (np.sqrt(square[name] / (1 - SECOND**number)) + TINY)
            before = getattr(self.prior, name)
            prior[name] = np.asarray(before - rate * (way + SHRINK * before), np.float32)
        smooth = loss if self.step == 0 else SMOOTH * self.loss + (1 - SMOOTH) * loss
        return Learning(number, Prior.of(prior), Prior.of(mean), Prior.of(square), smooth)

    def save(self, path: Path, of: str) -> None:
        """`of`: a digest of what is learned from."""
        tensors = {f"{part}.{name}": value for part in ("prior", "mean", "square") for name, value in vars(getattr(self, part)).items()}
        write_whole(path, save(tensors, {"learning": json.dumps({"of": of, "step": self.step, "loss": self.loss})}))


def taken_up(path: Path, of: str) -> Learning | None:
    """What a file keeps, or None where there is none, or none of these photos and settings."""
    try:
        with safe_open(path, "numpy") as kept:
            told = json.loads(kept.metadata()["learning"])
            if told["of"] != of:
                return None
            tensors = {name: np.asarray(kept.get_tensor(name)) for name in kept.keys()}  # noqa: SIM118 (it is no dict)
        prior, mean, square = (_part(tensors, part) for part in ("prior", "mean", "square"))
        return Learning(told["step"], prior, mean, square, told["loss"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def _part(tensors: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]], part: str) -> Prior:
    return Prior.of({name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")})

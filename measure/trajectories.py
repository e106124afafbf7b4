"""`python -m measure.trajectories`: what networks are given while real portraits are made, kept for calibrating and judging quantized ones."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from omokage.portrait import Order, paint
from omokage.system import Arrays
from omokage.systems import BY_ONE_PHOTO
from tqdm import tqdm

from export import specs
from export.families import FAMILIES
from measure.graded import png
from measure.in_process import InProcess, Open, Run, installed
from measure.people import sitters
from measure.studio import enrolled

OUT, WORK = Path("out/trajectories"), Path("out/trajectories/people")
SAMPLE = Path(__file__).resolve().parents[1] / "docs" / "img" / "sample.jpg"
STEPS, PEOPLE, CALLS = 20, 13, 3
STEPPED = ("unet", "controlnet_pose")
"""Networks that run in every step."""
PARTS = ("calibration", "held-out")
HELD_OUT = 3  # every third person is not calibrated on


class Recorder:
    """Engines as they are; of some networks it keeps what they are given in some steps of every portrait, drawn from a seed."""

    def __init__(self, inputs: Mapping[str, Sequence[str]], plain: Open, calls: int, seed: int = 0) -> None:
        """`inputs`: by network, which are kept; `calls`: in how many of the steps of a portrait."""
        self._inputs, self._plain, self._calls = inputs, plain, calls
        self._draw = np.random.default_rng(seed)
        self._step: dict[str, int] = {}
        self._wanted: dict[str, set[int]] = {}
        self._kept: dict[str, list[Arrays]] = {}

    def begin(self, steps: int) -> None:
        """A new portrait, of so many steps; what is kept of the last one is forgotten."""
        self._step = dict.fromkeys(self._inputs, 0)
        self._wanted = {name: set(self._draw.permutation(steps)[: self._calls].tolist()) for name in self._inputs}
        self._kept = {name: [] for name in self._inputs}

    @property
    def kept(self) -> dict[str, list[Arrays]]:
        """By network, its inputs in the steps that were kept of this portrait."""
        return self._kept

    def __call__(self, model: str) -> Run:
        run = self._plain(model)
        if model not in self._inputs:
            return run

        def recorded(given: Arrays) -> Arrays:
            if self._step[model] in self._wanted[model]:
                self._kept[model].append({name: given[name].copy() for name in self._inputs[model]})
            self._step[model] += 1
            return run(given)

        return recorded


def orders(runtime: InProcess, people: int) -> Iterator[Order]:
    """Every system for every person, the sample first and then so many of the split `validation`; every other one in a pose."""
    photo = SAMPLE.read_bytes()
    asked: list[tuple[Order, bytes]] = [(Order(words="a smiling person in warm window light", photo=photo), photo)]
    for sitter in sitters(WORK / f"people-{people}", people, split="validation"):
        asked.append((Order(words=sitter.words, passport=enrolled(runtime, sitter)), png(sitter.asked)))
    for place, (order, pose) in enumerate(asked):
        for turn, system in enumerate(BY_ONE_PHOTO.values()):
            posed = (place + turn) % 2 == 0 and "pose" in system.pictures
            yield Order(
                words=order.words,
                photo=order.photo,
                passport=order.passport,
                system=system.name,
                seed=place,
                knobs={"steps": STEPS},
                pictures={"pose": pose} if posed else {},
            )


def record(networks: Sequence[str], people: int, calls: int, out: Path) -> dict[str, dict[str, int]]:
    """Write `out`/NETWORK/calibration.npz and held-out.npz, each input [n, ...]; returns how many rows each has."""
    family = FAMILIES[InProcess().family]
    recorder = Recorder({name: [port.name for port in specs.network(family, name).inputs] for name in networks}, installed(), calls)
    runtime = InProcess(opening=recorder)
    kept: dict[str, dict[str, list[Arrays]]] = {name: {part: [] for part in PARTS} for name in networks}
    for place, order in enumerate(tqdm(list(orders(runtime, people)), "portraits", mininterval=5)):
        recorder.begin(STEPS)
        paint(runtime.infer, order)
        for name, found in recorder.kept.items():
            kept[name][PARTS[place // len(BY_ONE_PHOTO) % HELD_OUT == HELD_OUT - 1]] += found
    return {name: {part: written(out / name / f"{part}.npz", found) for part, found in parts.items()} for name, parts in kept.items()}


def written(path: Path, calls: list[Arrays]) -> int:
    """All rows of all calls, whole or not at all; returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}
    partial = path.with_name("partial-" + path.name)
    np.savez(partial, **rows)
    partial.replace(path)
    return len(next(iter(rows.values())))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.trajectories", description=__doc__)
    parser.add_argument("--network", nargs="+", choices=STEPPED, default=list(STEPPED), help="default: all of them")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"of the split `validation`, beside the sample photo (default: {PEOPLE})")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"steps of a portrait that are kept (default: {CALLS})")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}")
    given = parser.parse_args(argv)
    if given.people < HELD_OUT - 1 or not 1 <= given.calls <= STEPS:
        parser.error(f"people is {given.people} and calls {given.calls}; wanted: {HELD_OUT - 1} people or more, and 1 to {STEPS} calls")
    for name, rows in record(given.network, given.people, given.calls, given.out).items():
        print(f"{name:20} {', '.join(f'{part}: {count} rows' for part, count in rows.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Portraits by every system, kept as files, so that what was stopped goes on."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from omokage.faces import Image as Pixels
from omokage.files import write_whole
from omokage.passport import Passport
from omokage.portrait import Order, paint
from omokage.systems import SYSTEMS
from PIL import Image

from measure.in_process import InProcess


@dataclass(frozen=True)
class Ask:
    """A portrait that is wanted; `name` is its file's."""

    name: str
    system: str
    words: str
    passport: Passport
    seed: int
    knobs: Mapping[str, object]
    pose: bytes | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # beside that
    other: Passport | None = None

    def order(self) -> Order:
        pictures = {} if self.pose is None or "pose" not in SYSTEMS[self.system].pictures else {"pose": self.pose}
        return Order(
            words=self.words,
            passport=self.passport,
            other=self.other,
            system=self.system,
            seed=self.seed,
            knobs=self.knobs,
            pictures=pictures | dict(self.pictures),
        )


@dataclass(frozen=True)
class Portrait:
    """What came out."""

    pixels: Pixels  # [256, 256, 3] RGB
    seconds: float


def portrait(runtime: InProcess, ask: Ask, folder: Path) -> Portrait:
    """From its file, or made now and kept."""
    found = kept(folder, ask.name)
    if found is not None:
        return found
    path = folder / f"{ask.name}.png"
    began = time.perf_counter()
    made = paint(runtime.infer, ask.order())
    seconds = round(time.perf_counter() - began, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, made.image)
    write_whole(path.with_suffix(".json"), json.dumps({"words": ask.words, "seed": ask.seed, "seconds": seconds}).encode())
    return Portrait(_pixels(made.image), seconds)


def kept(folder: Path, name: str) -> Portrait | None:
    """That of such a name; None where it was not made, or not to the end: what is told of it is written last."""
    path = folder / f"{name}.png"
    told = path.with_suffix(".json")
    return Portrait(_pixels(path.read_bytes()), json.loads(told.read_text())["seconds"]) if told.exists() else None


def _pixels(file: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))

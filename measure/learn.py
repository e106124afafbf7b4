"""`python -m measure.learn`: teach what reads portraits on rendered pictures, and of heads on portraits, and tell how well it reads pictures of
other people."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from omokage import expression_reader
from tqdm import tqdm

from measure import attributes, expressions, worn
from measure.in_process import InProcess
from measure.people import Shown
from training.people.loader import Dataset

T = TypeVar("T")
Records = list[dict[str, Any]]
EXPRESSIONS = "expressions"
READERS = (EXPRESSIONS, *attributes.READ)
PICTURES = Path("out/mini/pictures")
HELD_OUT = 600  # pictures, at most


def pictures(folders: Sequence[Path], most: int) -> list[Shown]:
    """At most so many pictures of folders, evenly spread, at the size of portraits."""
    data = Dataset(*folders)
    return [Shown(data.image(row), data.record(row)) for row in spread(data.rows, most)]


def spread(rows: list[T], most: int) -> list[T]:
    """Every k-th, so that they are at most so many; for none, or of none, none."""
    return rows[:: -(-len(rows) // most)] if rows and most else []


def measured(runtime: InProcess, shots: Sequence[Shown]) -> tuple[expression_reader.Floats, Records]:
    """Features [n, k] of the faces that were found, and their records."""
    found = [(expressions.surface(runtime.infer, shot.image), shot.record) for shot in tqdm(shots, "landmarks")]
    seen = [(expression_reader.features(marks), record) for marks, record in found if marks is not None]
    return np.stack([one for one, _ in seen]), [record for _, record in seen]


def agreement(read: Sequence[bool], true: Sequence[bool]) -> dict[str, float]:
    """Shares read rightly among those that show it, and among those that do not."""
    said, real = np.array(read), np.array(true)
    return {"shown": round(float(said[real].mean()), 4), "not_shown": round(float((~said[~real]).mean()), 4)}


def recalls(kinds: Sequence[str], said: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """By kind, the share of the pictures that show it where it is seen; kinds that none shows are left out."""
    seen = {kind: [one == kind for one, real in zip(said, true, strict=True) if real == kind] for kind in kinds}
    return {kind: round(float(np.mean(right)), 4) for kind, right in seen.items() if right}


def expressions_learned(runtime: InProcess, taught: Sequence[Shown], held_out: Sequence[Shown]) -> dict[str, Any]:
    """Writes the readers of expressions; returns how well they read the held-out pictures."""
    (given, known), (seen, real) = measured(runtime, taught), measured(runtime, held_out)
    fits, found = {}, {}
    for name, shows in expressions.SHOWS.items():
        fits[name] = expressions.fitted(given, np.array([shows(record["expression_units"]) for record in known]))
        read = [expression_reader.shows(fits[name], one) for one in seen]
        found[name] = agreement(read, [shows(record["expression_units"]) for record in real])
    expression_reader.WEIGHTS.write_text(json.dumps(fits) + "\n")
    return found


def attributes_learned(runtime: InProcess, taught: Mapping[str, Sequence[Shown]], held_out: Sequence[Shown]) -> dict[str, Any]:
    """Writes the readers of pictures, of heads, or both, from what teaches each; the other stays as it is. Returns how well they read the held-out
    pictures."""
    readers = {}
    for name, shots in taught.items():
        views = _viewed(runtime, shots, name == "head")
        readers[name] = attributes.learned_from(views, [attributes.truth(shot.record) for shot in shots], name)
    attributes.save((attributes.learned() if len(readers) < len(attributes.READ) else {}) | readers)
    said = attributes.seen(attributes.learned(), _viewed(runtime, held_out, "head" in taught))
    true = [attributes.truth(shot.record) for shot in held_out]
    kinds = {name: some for one in taught for name, some in attributes.READ[one].items()}
    return {name: recalls(some, [one[name] for one in said], [one[name] for one in true]) for name, some in kinds.items()}


def _viewed(runtime: InProcess, shots: Sequence[Shown], heads: bool) -> list[attributes.View]:
    """With their heads, where those are wanted: finding faces takes time."""
    return [attributes.viewed(runtime.infer, shot.image) if heads else attributes.View(shot.image, None) for shot in tqdm(shots, "views")]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.learn", description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", default=[PICTURES / "train"], help="rendered pictures to learn from")
    parser.add_argument("--held-out", type=Path, nargs="+", default=[PICTURES / "validation"], help="rendered pictures of other people")
    parser.add_argument("--most", type=int, default=6000, help="pictures to learn from, at most")
    parser.add_argument("--portraits", type=int, default=2000, help="teach the reader of heads by portraits of at most so many of these, too")
    parser.add_argument("--only", nargs="+", choices=READERS, default=READERS, help="which readers learn (default: all)")
    given = parser.parse_args(argv)
    if given.most < 1 or given.portraits < 0:
        parser.error(f"--most is {given.most} and --portraits {given.portraits}; wanted 1 or more, and 0 or more")
    cv2.setNumThreads(1)
    runtime, taught, held_out = InProcess(), pictures(given.train, given.most), pictures(given.held_out, HELD_OUT)
    teaching = {
        name: taught + (worn.portraits(runtime, spread(taught, given.portraits)) if name == "head" else [])
        for name in attributes.READ
        if name in given.only
    }
    found = expressions_learned(runtime, taught, held_out) if EXPRESSIONS in given.only else {}
    found |= attributes_learned(runtime, teaching, held_out) if teaching else {}
    for name, numbers in found.items():
        print(f"{name:14} {numbers}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

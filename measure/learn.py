"""`python -m measure.learn`: teach what reads portraits on rendered pictures, and tell how well it reads pictures of other people."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omokage import expression_reader
from omokage.faces import Image
from tqdm import tqdm

from measure import attributes, expressions
from measure.in_process import InProcess
from training.people.loader import Dataset

Records = list[dict[str, Any]]


def pictures(folder: Path, most: int) -> tuple[list[Image], Records]:
    """At most so many pictures of a folder, evenly spread, at the size of portraits, with their records."""
    data = Dataset(folder)
    rows = data.rows[:: -(-len(data.rows) // most)]
    return [data.image(row) for row in rows], [data.record(row) for row in rows]


def measured(runtime: InProcess, images: Sequence[Image], records: Records) -> tuple[expression_reader.Floats, Records]:
    """Features [n, k] of the faces that were found, and their records."""
    found = [(expressions.surface(runtime.infer, image), record) for image, record in tqdm(list(zip(images, records, strict=True)), "landmarks")]
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


def learned(train: Path, held_out: Path, most: int) -> dict[str, Any]:
    """Writes both files beside the code; returns how well they read the held-out folder."""
    runtime = InProcess()
    (images, records), (others, truths) = pictures(train, most), pictures(held_out, 600)
    given, known = measured(runtime, images, records)
    seen, real = measured(runtime, others, truths)
    fits, found = {}, {}
    for name, shows in expressions.SHOWS.items():
        fits[name] = expressions.fitted(given, np.array([shows(record["expression_units"]) for record in known]))
        read = [expression_reader.shows(fits[name], one) for one in seen]
        found[name] = agreement(read, [shows(record["expression_units"]) for record in real])
    expression_reader.WEIGHTS.write_text(json.dumps(fits) + "\n")
    reader = attributes.taught(images, [attributes.truth(record) for record in records])
    attributes.save(reader)
    said, true = attributes.read(attributes.learned(), others), [attributes.truth(record) for record in truths]
    for name, kinds in attributes.KINDS.items():
        found[name] = recalls(kinds, [one[name] for one in said], [one[name] for one in true])
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.learn", description=__doc__)
    parser.add_argument("--train", type=Path, default=Path("out/mini/pictures/train"), help="rendered pictures to learn from")
    parser.add_argument("--held-out", type=Path, default=Path("out/mini/pictures/validation"), help="rendered pictures of other people")
    parser.add_argument("--most", type=int, default=6000, help="pictures to learn from, at most")
    given = parser.parse_args(argv)
    cv2.setNumThreads(1)
    for name, numbers in learned(given.train, given.held_out, given.most).items():
        print(f"{name:14} {numbers}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

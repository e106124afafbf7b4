"""`python -m training.mini.mean_face CORPUS OUT`: the middle face of a corpus, as in `export/mean_face.json`."""

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from omokage.files import write_whole

from training.mini import corpus


def middle(shapes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """[468, 3] of faces from the front [n, 468, 3] (`omokage.surface.from_the_front`): the median, both halves alike; in eye distances."""
    found = np.median(shapes, 0).astype(np.float64)
    mirrored = found * [-1, 1, 1]
    partner = np.linalg.norm(found[None] - mirrored[:, None], axis=2).argmin(1)
    mutual = partner[partner] == np.arange(len(found))
    even = np.where(mutual[:, None], (found + mirrored[partner]) / 2, found)
    even[partner == np.arange(len(found)), 0] = 0
    return even


def main(folder: Path, out: Path) -> None:
    people = corpus.load(folder)
    write_whole(out, json.dumps(np.round(middle(people.shape[people.found]), 3).tolist(), separators=(",", ":")).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""What a face does, seen from its landmarks: smiling, mouth open, eyes closed, brows raised. Taught by `python -m measure.learn`."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
WEIGHTS = Path(__file__).with_name("expression_reader.json")
EYES = ((33, 133, 159, 145), (263, 362, 386, 374))  # MediaPipe's points: outer, inner, upper, lower
BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
MOUTH, LIPS, NOSE, CHIN, FOREHEAD = (61, 291), (13, 14, 0, 17), 2, 152, 10


def features(marks: Floats) -> Floats:
    """[n] what the four judgements are made from: openings and heights, in eye distances or in shares of the width they belong to."""

    def apart(one: int, other: int) -> float:
        return float(np.linalg.norm(marks[one] - marks[other]))

    upper, lower, top, bottom = LIPS
    corners, middle = marks[list(MOUTH)], (marks[upper] + marks[lower]) / 2
    eyes = [apart(above, below) / apart(outer, inner) for outer, inner, above, below in EYES]
    brows = [float(marks[eye[2], 1] - marks[list(brow), 1].mean()) for eye, brow in zip(EYES, BROWS, strict=True)]
    inner = [float(marks[eye[1], 1] - marks[brow[-1], 1]) for eye, brow in zip(EYES, BROWS, strict=True)]
    return np.array(
        [
            apart(*MOUTH),
            apart(upper, lower),
            apart(top, bottom),
            float(middle[1] - corners[:, 1].mean()),
            float(corners[:, 1].mean() - marks[NOSE, 1]),
            float(corners[:, 2].mean() - middle[2]),
            *eyes,
            *brows,
            *inner,
            apart(CHIN, FOREHEAD),
            float(marks[CHIN, 1] - marks[bottom, 1]),
            float(marks[NOSE, 2]),
        ]
    )


def shows(known: Mapping[str, list[float]], given: Floats) -> bool:
    """Whether features [k] show what `fitted` learned."""
    squares = (given - np.array(known["mean"])) / np.array(known["deviation"])
    return bool(np.concatenate([squares, squares**2, [1.0]]) @ np.array(known["way"]) > 0)


def learned(path: Path = WEIGHTS) -> dict[str, dict[str, list[float]]]:
    """By expression, what `python -m measure.learn` fitted."""
    found: dict[str, dict[str, list[float]]] = json.loads(path.read_text())
    return found

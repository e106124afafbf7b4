"""What a face does, seen from its landmarks: smiling, mouth open, eyes closed, brows raised."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from omokage import faces
from omokage.faces import Image
from omokage.surface import surface as surface_of
from omokage.systems.base import Infer
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
WEIGHTS = Path(__file__).with_name("expressions.json")
SHOWS: dict[str, Callable[[Mapping[str, float]], bool]] = {
    "smile": lambda units: units.get("mouthSmileLeft", 0) + units.get("mouthSmileRight", 0) >= 0.6,
    "open mouth": lambda units: units.get("jawOpen", 0) >= 0.2,
    "closed eyes": lambda units: min(units.get("eyeBlinkLeft", 0), units.get("eyeBlinkRight", 0)) >= 0.8,
    "raised brows": lambda units: units.get("browOuterUpLeft", 0) + units.get("browOuterUpRight", 0) >= 0.8,
}
"""Whether a rendered face shows it, from its ARKit units."""
EYES = ((33, 133, 159, 145), (263, 362, 386, 374))  # MediaPipe's points: outer, inner, upper, lower
BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
MOUTH, LIPS, NOSE, CHIN, FOREHEAD = (61, 291), (13, 14, 0, 17), 2, 152, 10


def surface(infer: Infer, pixels: Image) -> Floats | None:
    """[468, 3] MediaPipe's points of the largest face, eyes level, in eye distances from the middle of the eyes; None where there is no face."""
    found = faces.found(pixels, lambda picture: infer("face_detector", {"image": picture}))
    if not found:
        return None
    marks = surface_of(infer, pixels, found[0])
    left, right = (marks[list(eye[:2])].mean(0) for eye in EYES)
    return np.asarray((marks - (left + right) / 2) / np.linalg.norm(right - left))


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


def fitted(given: Floats, shown: npt.NDArray[np.bool_]) -> dict[str, list[float]]:
    """Logistic regression with a small penalty: `given` [n, k] features, `shown` [n]; both kinds count alike however rare one is."""
    mean, deviation = given.mean(0), given.std(0) + 1e-9
    squares = (given - mean) / deviation
    rows = np.concatenate([squares, squares**2, np.ones((len(given), 1))], 1)
    signs, weights = np.where(shown, 1.0, -1.0), np.where(shown, 0.5 / shown.mean(), 0.5 / (~shown).mean())

    def loss(way: Floats) -> tuple[float, Floats]:
        margins = signs * (rows @ way)
        slope = -signs * weights / (1 + np.exp(np.clip(margins, -30, 30)))
        return float((weights * np.logaddexp(0, -margins)).mean() + 1e-3 * (way**2).sum()), rows.T @ slope / len(rows) + 2e-3 * way

    way = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x
    return {"mean": mean.tolist(), "deviation": deviation.tolist(), "way": way.tolist()}


def shows(known: Mapping[str, list[float]], given: Floats) -> bool:
    """Whether features [k] show what `fitted` learned."""
    squares = (given - np.array(known["mean"])) / np.array(known["deviation"])
    return bool(np.concatenate([squares, squares**2, [1.0]]) @ np.array(known["way"]) > 0)


def learned(path: Path = WEIGHTS) -> dict[str, dict[str, list[float]]]:
    """By expression, what `python -m measure.learn` fitted."""
    found: dict[str, dict[str, list[float]]] = json.loads(path.read_text())
    return found

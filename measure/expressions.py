"""What a face does, seen from its landmarks: smiling, mouth open, eyes closed, brows raised."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from omokage import faces
from omokage.expression_reader import EYES, Floats
from omokage.faces import Image
from omokage.surface import surface as surface_of
from omokage.system import Infer
from scipy.optimize import minimize

SHOWS: dict[str, Callable[[Mapping[str, float]], bool]] = {
    "smile": lambda units: units.get("mouthSmileLeft", 0) + units.get("mouthSmileRight", 0) >= 0.6,
    "open mouth": lambda units: units.get("jawOpen", 0) >= 0.2,
    "closed eyes": lambda units: min(units.get("eyeBlinkLeft", 0), units.get("eyeBlinkRight", 0)) >= 0.8,
    "raised brows": lambda units: units.get("browOuterUpLeft", 0) + units.get("browOuterUpRight", 0) >= 0.8,
}
"""Whether a rendered face shows it, from its ARKit units."""


def surface(infer: Infer, pixels: Image) -> Floats | None:
    """[468, 3] MediaPipe's points of the largest face, eyes level, in eye distances from the middle of the eyes; None where there is no face."""
    found = faces.found(pixels, lambda picture: infer("face_detector", {"image": picture}))
    if not found:
        return None
    marks = surface_of(infer, pixels, found[0])
    left, right = (marks[list(eye[:2])].mean(0) for eye in EYES)
    return np.asarray((marks - (left + right) / 2) / np.linalg.norm(right - left))


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

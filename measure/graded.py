"""From portraits to numbers: likeness by two recognizers, faces found, keypoints."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from omokage.faces import Image
from omokage.pose import framed
from omokage.texts import text

from measure.in_process import InProcess
from measure.likeness import Floats, each, likeness
from measure.people import Shown, Sitter
from measure.portraits import Portrait
from training.people.graders import Graders

CONDITIONED, INDEPENDENT = "sface", "dlib"
"""The recognizer that networks are conditioned on, and one that nothing was."""


@dataclass(frozen=True)
class Real:
    """What portraits are held against: by recognizer, vectors [n, d] of the asked shots and of the compared ones; keypoints [5, 2] that recipes
    find in the asked shots and ask for, in pixels of a portrait (a detector's own error is not the portrait's)."""

    vectors: dict[str, tuple[Floats, Floats]]
    keypoints: list[Floats]

    def first(self, count: int) -> "Real":
        """Of the first so many people."""
        return Real({name: (asked[:count], compared[:count]) for name, (asked, compared) in self.vectors.items()}, self.keypoints[:count])


def png(picture: Shown) -> bytes:
    return cv2.imencode(".png", picture.image[..., ::-1])[1].tobytes()


def real(runtime: InProcess, graders: Graders, people: Sequence[Sitter], size: int) -> Real:
    """Raises NoFace for an asked shot that the server would refuse as a pose."""
    found: dict[str, list[list[Any]]] = {CONDITIONED: [[], []], INDEPENDENT: [[], []]}
    for sitter in people:
        for place, shown in enumerate((sitter.asked, sitter.compared)):
            face = graders.detect(shown.image)
            points = np.array(shown.record["keypoints"], np.float32) if face is None else face[1]
            found[CONDITIONED][place].append(graders.sface(shown.image, points))
            found[INDEPENDENT][place].append(graders.dlib(shown.image, points))
    vectors = {name: (np.stack(asked), np.stack(compared)) for name, (asked, compared) in found.items()}
    return Real(vectors, [_keypoints(runtime, sitter.asked, size) for sitter in people])


def _keypoints(runtime: InProcess, shown: Shown, size: int) -> Floats:
    found = runtime.infer("face_analysis", {"photo": text(png(shown))})
    height, width = shown.image.shape[:2]
    return framed(found["points"][0], found["box"][0], width, height) * size


def graded(graders: Graders, portraits: Sequence[Image], truth: Real) -> tuple[dict[str, Any], Floats]:
    """(numbers of one way's portraits, one a person; the independent likeness [n] of each)."""
    faces = [graders.detect(image) for image in portraits]
    pairs = list(zip(portraits, faces, strict=True))
    vectors = {
        CONDITIONED: [None if face is None else graders.sface(image, face[1]) for image, face in pairs],
        INDEPENDENT: [None if face is None else graders.dlib(image, face[1]) for image, face in pairs],
    }
    apart = [
        float(np.linalg.norm(face[1] - points, axis=1).mean() / np.linalg.norm(points[0] - points[1]))
        for points, face in zip(truth.keypoints, faces, strict=True)
        if face is not None
    ]
    found = {name: likeness(seen, *truth.vectors[name], distance=name == INDEPENDENT) for name, seen in vectors.items()}
    numbers = {
        "likeness": round(found[INDEPENDENT].normalised, 4),
        "likeness_conditioned": round(found[CONDITIONED].normalised, 4),
        "top1": round(found[INDEPENDENT].first, 4),
        "top1_conditioned": round(found[CONDITIONED].first, 4),
        "faces": round(len(apart) / len(portraits), 4),
        "pose_error": round(statistics.median(apart), 4) if apart else None,
        "recognizers": {name: one.rounded() for name, one in found.items()},
    }
    return numbers, each(vectors[INDEPENDENT], *truth.vectors[INDEPENDENT], distance=True)


def similarity(graders: Graders, image: Image, to: Sequence[Floats]) -> tuple[float, ...] | None:
    """Cosine of SFace's vector of a portrait to each of some, None without a face."""
    face = graders.detect(image)
    return None if face is None else tuple(float(graders.sface(image, face[1]) @ vector.reshape(-1)) for vector in to)


def mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def seconds(made: Sequence[Portrait]) -> float:
    """Of one, the median."""
    return round(statistics.median(one.seconds for one in made), 3)


def apart(images: Sequence[Image]) -> float:
    """How different pictures are: mean absolute difference of their pixels over all pairs, 0 to 1."""
    pairs = [(one, other) for place, one in enumerate(images) for other in images[place + 1 :]]
    return float(np.mean([np.abs(one.astype(np.float32) - other).mean() / 255 for one, other in pairs]))

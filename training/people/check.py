"""Judging a rendered folder: faces found, keypoints against the truth, people told apart, who is in it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from tqdm import tqdm

from training.people import shards
from training.people.errors import InvalidRequest
from training.people.graders import Graders
from training.people.loader import Dataset

EASY_YAW = 35.0  # degrees; up to here nearly every face must be found
POINTS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")  # the viewer's left
MOST_GRADED = 4000  # pictures; pairs grow with the square
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Separation:
    """How well a recognizer tells people apart: mean similarity of pairs, and AUC (0.5 chance, 1 perfect)."""

    auc: float
    same: float
    different: float
    same_pairs: int
    different_pairs: int


def separation(similarity: Floats, same: npt.NDArray[np.bool_]) -> Separation | None:
    """From the similarity [n] of pairs and whether they show one person [n]; None where either kind is missing."""
    positive, negative = int(same.sum()), int((~same).sum())
    if not positive or not negative:
        return None
    ranks = rankdata(similarity)
    auc = (ranks[same].sum() - positive * (positive + 1) / 2) / (positive * negative)
    return Separation(round(float(auc), 4), round(float(similarity[same].mean()), 4), round(float(similarity[~same].mean()), 4), positive, negative)


def _pairs(vectors: Floats, people: npt.NDArray[np.int64], groups: npt.NDArray[np.str_], distance: bool) -> dict[str, Any]:
    first, second = np.triu_indices(len(people), 1)
    if distance:
        square = (vectors**2).sum(1)
        near = -np.sqrt(np.maximum(square[:, None] + square[None] - 2 * vectors @ vectors.T, 0))
    else:
        near = vectors @ vectors.T
    similarity, same = near[first, second], people[first] == people[second]
    found = {"all pairs": separation(similarity, same)}
    for group in sorted(set(groups)):
        inside = (groups[first] == group) & (groups[second] == group)
        found[group] = separation(similarity[inside], same[inside])
    return {name: vars(result) for name, result in found.items() if result is not None}


def check(folder: Path, *, quiet: bool = False, most: int = MOST_GRADED) -> dict[str, Any]:
    """All numbers of a folder of plain shots, ready for JSON. Verifies every shard's digest first.

    Raises DamagedData for a torn shard, InvalidRequest for a folder of another kind.
    """
    data = Dataset(folder)
    for tar in sorted({row.shard for row in data.rows}):
        shards.verify(tar)
    rows = [row for row in data.rows if row.role == "shot"]
    if not rows:
        raise InvalidRequest(f"{folder} holds no plain shots; `check` judges folders rendered with --kind shots")
    step = -(-len(rows) // most)
    graders = Graders()
    found, easy, easy_found, errors, graded = 0, 0, 0, [], []
    records = []
    for row in tqdm(rows[::step], unit="img", disable=quiet):
        record, image = data.record(row), data.image(row)
        records.append(record)
        face = graders.detect(image)
        is_easy = abs(record["head"]["yaw"]) <= EASY_YAW
        easy += is_easy
        if face is None:
            continue
        found += 1
        easy_found += is_easy
        truth = np.array(record["keypoints"], np.float32)
        errors.append(np.linalg.norm(face[1] - truth, axis=1) / np.linalg.norm(truth[0] - truth[1]))
        graded.append((graders.sface(image, face[1]), graders.dlib(image, face[1]), record["person"]["seed"], record["person"]["group"]))
    people, groups = np.array([g[2] for g in graded]), np.array([g[3] for g in graded])
    return {
        "pictures": len(records),
        "people": len({record["person"]["seed"] for record in records}),
        "detected": round(found / len(records), 4),
        f"detected_yaw_up_to_{EASY_YAW:g}": round(easy_found / max(easy, 1), 4),
        "keypoint_error_over_eye_distance": dict(zip(POINTS, np.round(np.median(errors, 0), 4).tolist(), strict=True)),
        "sface": _pairs(np.array([g[0] for g in graded]), people, groups, distance=False),
        "dlib": _pairs(np.array([g[1] for g in graded]), people, groups, distance=True),
        "distribution": distribution(records),
    }


def distribution(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Share of people by what stays, and of pictures by what changes."""
    people = list({record["person"]["seed"]: record["person"] for record in records}.values())
    of_people = {
        name: Counter(person[name] for person in people) for name in ("sex", "skin_tone", "age_group", "group", "hair", "hair_colour", "beard")
    }
    of_people["age"] = Counter(f"{person['age'] // 10 * 10}s" for person in people)
    shot_fields = ("expression", "light", "background", "outfit", "glasses", "hat", "earrings", "makeup")
    of_shots = {name: Counter(record["shot"][name] or "none" for record in records) for name in shot_fields}
    counted = {name: (count, len(people)) for name, count in of_people.items()} | {name: (count, len(records)) for name, count in of_shots.items()}
    return {name: {str(value): round(n / total, 4) for value, n in sorted(count.items())} for name, (count, total) in counted.items()}

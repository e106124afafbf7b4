"""The body of a person in a shot: phenotype and expression as sums of targets, pose as turns of neck and head."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from training.people import assets
from training.people.assets import Floats
from training.people.expressions import units_of
from training.people.mesh import Topology
from training.people.person import Person, opposites
from training.people.shot import Shot

YOUNG_YEARS, OLD_YEARS = 25, 90  # ages of MakeHuman's two grown-up targets
FACE_BOTTOM_DM = 2.0  # body below is never seen
Rotations = npt.NDArray[np.float64]


def oldness(person: Person) -> float:
    """0 at 25 years or younger, 1 at 90."""
    return float(np.clip((person.age - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS), 0, 1))


def _three_way(value: float) -> dict[str, float]:
    return {"min": max(0.0, 1 - 2 * value), "average": 1 - abs(2 * value - 1), "max": max(0.0, 2 * value - 1)}


def phenotype_weights(person: Person) -> dict[str, float]:
    """Strength of every target that makes this person, by MakeHuman's macro scheme plus the person's own shape."""
    old = oldness(person)
    weights: dict[str, float] = {}
    for sex, sex_share in (("male", person.maleness), ("female", 1 - person.maleness)):
        for age, age_share in (("young", 1 - old), ("old", old)):
            for heritage, share in person.heritage.items():
                weights[f"macro/{heritage}-{sex}-{age}"] = sex_share * age_share * share
            for muscle, muscle_share in _three_way(person.muscle).items():
                for fat, fat_share in _three_way(person.weight).items():
                    weights[f"macro/universal-{sex}-{age}-{muscle}muscle-{fat}weight"] = sex_share * age_share * muscle_share * fat_share
    for name, strength in person.shape.items():
        for target in opposites()[name][strength > 0]:
            side = {"l-": 1, "r-": -1}.get(target[:2], 0)
            weights[target] = abs(strength) * (1 + side * person.asymmetry)
    return weights | person.head_shape


def add_targets(body: Floats, weights: Mapping[str, float]) -> Floats:
    """Body vertices [V, 3] with targets added; names without a target are macros that the data does not need."""
    body = body.copy()
    targets = assets.load().targets
    for name, strength in weights.items():
        if abs(strength) > 1e-3 and name in targets:
            body[targets[name].at] += np.float32(strength) * targets[name].by
    return body


@lru_cache(maxsize=4)
def shaped(person: Person) -> Floats:
    """Body [V, 3] dm of a person, with no expression."""
    return add_targets(assets.load().vertices, phenotype_weights(person))


def expression_units(person: Person, shot: Shot) -> dict[str, float]:
    """Every ARKit unit of the picture, 0..1: the relaxed face, the expression, and lids that follow the eyes."""
    units = units_of(shot.expression, shot.strength)
    calm = 1.0 if shot.expression in ("neutral", "closed eyes", "open mouth", "pout", "puffed cheeks") else 0.45
    for name, strength in person.resting.items():
        if not (name.startswith("brow") and any(unit.startswith(("brow", "eyeWide")) for unit in units)):
            units[name] = units.get(name, 0) + calm * strength
    _, up = eye_turn(shot)
    for side in ("Left", "Right"):
        if not units.get(f"eyeBlink{side}"):
            units[f"eyeLookUp{side}"] = max(0.0, up / 20)
            units[f"eyeLookDown{side}"] = max(0.0, -up / 20)
    return {name: round(float(np.clip(strength, 0, 1)), 4) for name, strength in units.items() if strength > 0}


def expressed(body: Floats, units: Mapping[str, float]) -> Floats:
    """The body [V, 3] with ARKit units added."""
    return add_targets(body, {f"unit/{name}": strength for name, strength in units.items()})


def turn(yaw: float, pitch: float, roll: float) -> Rotations:
    """[3, 3] rotation; degrees. Positive yaw turns to the viewer's right, pitch up, roll clockwise."""
    return np.asarray(Rotation.from_euler("YXZ", [yaw, -pitch, -roll], degrees=True).as_matrix())


def angles(rotation: Rotations) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees: the inverse of `turn`."""
    yaw, pitch, roll = Rotation.from_matrix(rotation).as_euler("YXZ", degrees=True)
    return float(yaw), float(-pitch), float(-roll)


def eye_turn(shot: Shot) -> tuple[float, float]:
    """Yaw and pitch of the eyes in the head, degrees, so that they look where the shot says."""
    return shot.gaze_yaw - shot.yaw, shot.gaze_pitch - shot.pitch


class Pose:
    """Turns points of a body: the torso by the body's angles, the head by the head's, the neck in between."""

    def __init__(self, body: Floats, shot: Shot) -> None:
        joints = assets.load().joints
        neck, head = body[joints["neck"]].mean(0), body[joints["head"]].mean(0)
        self.pivot = 0.45 * neck + 0.55 * head
        self.torso = turn(shot.body_yaw, shot.body_pitch, 0)
        self.head = turn(shot.yaw, shot.pitch, shot.roll)
        self._neck = Rotation.from_matrix(self.torso.T @ self.head).as_rotvec()

    def apply(self, points: Floats, share: Floats) -> Floats:
        """Points [n, 3] with their share [n] of the head's rotation -> camera-aligned space [n, 3]."""
        result = np.empty_like(points)
        levels, inverse = np.unique(np.round(share, 3), return_inverse=True)
        turns = self.torso @ Rotation.from_rotvec(levels[:, None] * self._neck).as_matrix()
        local = points - self.pivot
        result[:] = np.einsum("nij,nj->ni", turns.astype(np.float32)[inverse], local.astype(np.float32)) + self.pivot
        return result


@lru_cache(maxsize=1)
def topology() -> Topology:
    """The visible part of the body mesh."""
    data = assets.load()
    seen = data.face_is_body & (data.vertices[data.faces].mean(1)[:, 1] > FACE_BOTTOM_DM)
    return Topology.of(data.faces[seen], data.face_uv[seen], data.uv, len(data.vertices))


@lru_cache(maxsize=1)
def is_ear() -> npt.NDArray[np.bool_]:
    """[V] whether a body vertex belongs to an ear, by the ear mask over the texture coordinates."""
    image, mesh = assets.load().mask("ears"), topology()
    rows = np.clip(((1 - mesh.uv[:, 1]) * len(image)).astype(int), 0, len(image) - 1)
    columns = np.clip((mesh.uv[:, 0] * len(image)).astype(int), 0, len(image) - 1)
    at = assets.load().vertices
    ear = np.zeros(len(at), bool)
    ear[mesh.source[image[rows, columns] > 128]] = True
    return np.asarray(ear & (at[:, 1] > 6.4) & (np.abs(at[:, 0]) > 0.5))

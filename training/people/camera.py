"""Where the camera and the sun stand, and where points of the scene land in the picture."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.people.assets import Floats
from training.people.lights import LIGHTS
from training.people.scene import Scene
from training.people.shot import Shot

Matrix = npt.NDArray[np.float64]


def _look_at(eye: Matrix, at: Matrix) -> Matrix:
    forward = (at - eye) / np.linalg.norm(at - eye)
    up = (0.0, 1.0, 0.0) if abs(forward[1]) < 0.99 else (0.0, 0.0, 1.0)
    side = np.cross(forward, up)
    side /= np.linalg.norm(side)
    view = np.eye(4)
    view[:3, :3] = side, np.cross(side, forward), -forward
    view[:3, 3] = -view[:3, :3] @ eye
    return view


def _perspective(field_of_view: float, near: float, far: float) -> Matrix:
    scale = 1 / np.tan(np.deg2rad(field_of_view) / 2)
    return np.array([[scale, 0, 0, 0], [0, scale, 0, 0], [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)], [0, 0, -1, 0]])


class Stand(NamedTuple):
    """The camera and the key light of a shot."""

    camera: Matrix  # [4, 4] scene (dm) to clip space
    sun: Matrix  # [4, 4] scene to the shadow map's clip space
    eye: Matrix  # [3] the camera's place
    distance: float  # dm from the camera to the middle of the head


def stand(view: Scene, shot: Shot) -> Stand:
    """Frame the face: `frame_height` dm of its plane fill the picture."""
    between = view.keypoints[:2].mean(0).astype(np.float64)
    at = between + np.array([shot.offset_x, shot.offset_y - 0.28, -0.9])
    distance = shot.frame_height / 2 / np.tan(np.deg2rad(shot.field_of_view) / 2)
    eye = at + np.array([0, 0, distance + 0.9])
    camera = _perspective(shot.field_of_view, 1, 80) @ _look_at(eye, at)
    reach = 3.4
    ortho = np.diag([1 / reach, 1 / reach, -0.1, 1.0])
    ortho[2, 3] = -1.2
    sun = ortho @ _look_at(at + LIGHTS[shot.light].direction(shot.light_side) * 12, at)
    return Stand(camera, sun, eye, distance + 0.9)


def project(points: Floats, camera: Matrix, size: int) -> Floats:
    """Scene points [n, 3] -> pixels [n, 2], x right, y down, the centre of the first pixel at (0.5, 0.5)."""
    clip = np.c_[points, np.ones(len(points))] @ camera.T
    flat = clip[:, :2] / clip[:, 3:]
    return np.asarray(np.stack([(flat[:, 0] * 0.5 + 0.5) * size, (0.5 - flat[:, 1] * 0.5) * size], 1), np.float32)

"""A face in space, by MediaPipe's network: its surface, and its five points as seen straight from the front."""

import cv2
import numpy as np
import numpy.typing as npt

from omokage.faces import Face, Image
from omokage.systems.base import Floats, Infer

SIDE = 192  # pixels of the crop that the network takes
WIDER = 1.5  # times the longer side of the face's box
EYES = ((33, 133), (263, 362))  # MediaPipe's points: outer and inner corner, the viewer's left eye first
NOSE, MOUTH, FOREHEAD, CHIN = 1, (61, 291), 10, 152


def surface(infer: Infer, photo: Image, face: Face) -> npt.NDArray[np.float64]:
    """[468, 3]: MediaPipe's points of a face in an RGB photo [H, W, 3], eyes level; x, y and z (away from the camera) in pixels of the crop."""
    middle, across = face.box[:2] + face.box[2:] / 2, face.points[1] - face.points[0]
    turn = cv2.getRotationMatrix2D(
        (float(middle[0]), float(middle[1])), float(np.degrees(np.arctan2(across[1], across[0]))), SIDE / (WIDER * float(max(face.box[2:])))
    )
    turn[:, 2] = turn[:, 2] + SIDE / 2 - middle
    crop = cv2.warpAffine(photo, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32).transpose(2, 0, 1)[None] / 255
    return np.asarray(infer("face_landmarks", {"crop": crop})["landmarks"][0], np.float64)


def from_the_front(marks: npt.NDArray[np.float64]) -> Floats:
    """[5, 3]: eyes, nose and mouth corners (the viewer's left first) of a surface [468, 3], the head turned to face the camera.

    In distances of the eyes, from the middle between them; x to the viewer's right, y down, z away. The head's own axes: across from one
    side's corners to the other's, down from forehead to chin as far as that is square to it.
    """
    left, right = (marks[list(eye)].mean(0) for eye in EYES)
    mouth = marks[list(MOUTH)]
    across = _unit(_unit(right - left) + _unit(mouth[1] - mouth[0]))
    down = marks[CHIN] - marks[FOREHEAD]
    down = _unit(down - (down @ across) * across)
    axes = np.stack([across, down, np.cross(across, down)])
    five = (np.stack([left, right, marks[NOSE], *mouth]) - (left + right) / 2) @ axes.T
    return np.asarray(five / np.linalg.norm(right - left), np.float32)


def _unit(way: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(way / np.linalg.norm(way))

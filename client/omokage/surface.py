"""A face in space, by MediaPipe's network: its surface in the photo, and as seen straight from the front."""

import cv2
import numpy as np
import numpy.typing as npt

from omokage.faces import Face, Image
from omokage.pose import EYES, MOUTH
from omokage.system import Floats, Infer

SIDE = 192  # pixels of the crop that the network takes
WIDER = 1.5  # times the longer side of the face's box
FOREHEAD, CHIN = 10, 152


def surface(infer: Infer, photo: Image, face: Face) -> npt.NDArray[np.float64]:
    """[468, 3]: MediaPipe's points of a face in an RGB photo [H, W, 3]; x, y and z (away from the camera) in pixels of the photo."""
    middle, across = face.box[:2] + face.box[2:] / 2, face.points[1] - face.points[0]
    smaller = SIDE / (WIDER * float(max(face.box[2:])))
    turn = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), float(np.degrees(np.arctan2(across[1], across[0]))), smaller)
    turn[:, 2] = turn[:, 2] + SIDE / 2 - middle
    crop = cv2.warpAffine(photo, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32).transpose(2, 0, 1)[None] / 255
    marks = np.asarray(infer("face_landmarks", {"crop": crop})["landmarks"][0], np.float64)
    back = cv2.invertAffineTransform(turn)
    return np.concatenate([marks[:, :2] @ back[:, :2].T + back[:, 2], marks[:, 2:] / smaller], 1)


def from_the_front(marks: npt.NDArray[np.float64]) -> Floats:
    """[468, 3]: a surface [468, 3], the head turned to face the camera.

    In distances of the eyes, from the middle between them; x to the viewer's right, y down, z away. The head's own axes: across from one
    side's corners to the other's, down from forehead to chin as far as that is square to it.
    """
    left, right = (marks[list(eye)].mean(0) for eye in EYES)
    mouth = marks[list(MOUTH)]
    across = _unit(_unit(right - left) + _unit(mouth[1] - mouth[0]))
    down = marks[CHIN] - marks[FOREHEAD]
    down = _unit(down - (down @ across) * across)
    axes = np.stack([across, down, np.cross(across, down)])
    return np.asarray((marks - (left + right) / 2) @ axes.T / np.linalg.norm(right - left), np.float32)


def _unit(way: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(way / np.linalg.norm(way))

"""The truth of a picture as files: a JSON record and PNG maps. `docs/people.md` lists every field with its unit."""

import dataclasses
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.people import captions, splits
from training.people.groups import Frame
from training.people.lights import LIGHTS
from training.people.render import Picture

DEPTH_STEPS_PER_DM = 2000  # a step of the depth map is 0.05 mm; 0 is no person
PNG_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def record(frame: Frame, picture: Picture, group: str, key: str) -> dict[str, Any]:
    """Everything but the maps, ready for JSON."""
    shot, light = frame.shot, LIGHTS[frame.shot.light]
    return {
        "key": key,
        "group": group,
        "role": frame.role,
        "split": splits.split_of(frame.person.seed),
        "person": dataclasses.asdict(frame.person) | {"age_group": frame.person.age_group, "group": frame.person.group},
        "shot": dataclasses.asdict(shot),
        "donor": None if frame.donor is None else dataclasses.asdict(frame.donor),
        "size": picture.image.shape[0],
        "keypoints": np.round(picture.keypoints, 2).tolist(),
        "landmarks": np.round(picture.landmarks, 2).tolist(),
        "head": {"yaw": shot.yaw, "pitch": shot.pitch, "roll": shot.roll},
        "gaze": {"yaw": shot.gaze_yaw, "pitch": shot.gaze_pitch},
        "expression_units": picture.units,
        "light": dataclasses.asdict(light) | {"direction": np.round(light.direction(shot.light_side), 5).tolist(), "gain": shot.light_gain},
        "camera": np.round(picture.camera, 6).tolist(),
        "captions": captions.captions(frame.person, shot),
    }


def _png(image: npt.NDArray[Any]) -> bytes:
    _, data = cv2.imencode(".png", image, PNG_FAST)
    return data.tobytes()


def maps(picture: Picture) -> dict[str, bytes]:
    """PNG files by name: part ids, face and person masks, depth (16 bit), normals (8 bit a channel, RGB = x, y, z)."""
    depth = np.clip(np.rint(picture.depth * DEPTH_STEPS_PER_DM), 0, 65535).astype(np.uint16)
    seen = picture.depth > 0
    normals = np.where(seen[..., None], np.rint((picture.normals * 0.5 + 0.5) * 255), 0).astype(np.uint8)
    return {
        "parts.png": _png(picture.parts),
        "face.png": _png(picture.face.astype(np.uint8) * 255),
        "person.png": _png(picture.person),
        "depth.png": _png(depth),
        "normals.png": _png(np.ascontiguousarray(normals[..., ::-1])),
    }


def read_maps(files: dict[str, bytes]) -> dict[str, npt.NDArray[Any]]:
    """The maps back as arrays: parts uint8, face bool, person 0..1, depth dm, normals unit vectors or 0. [H, W(, 3)]"""

    def image(name: str) -> npt.NDArray[Any]:
        return np.asarray(cv2.imdecode(np.frombuffer(files[name], np.uint8), cv2.IMREAD_UNCHANGED))

    depth = image("depth.png").astype(np.float32) / DEPTH_STEPS_PER_DM
    normals = image("normals.png")[..., ::-1].astype(np.float32) / 255 * 2 - 1
    return {
        "parts": image("parts.png"),
        "face": image("face.png") > 0,
        "person": image("person.png").astype(np.float32) / 255,
        "depth": depth,
        "normals": np.where(depth[..., None] > 0, normals, 0),
    }

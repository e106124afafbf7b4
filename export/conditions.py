"""The pictures that ControlNets look at, drawn in the graph, so that training and every server draw the same."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.clothes import Clothes
from export.families import MARKS
from export.mean_face import Head, mean_face, of_the_face, reaches, round_face
from export.somebody import somebody
from export.texture import THIN, below_face, carried, in_head, places_in_texture, sampled

KEYPOINTS = ((33, 133), (263, 362), (1,), (61,), (291,))
"""Which of MediaPipe's points are, in the mean, one of the five: eyes, tip of the nose, mouth corners, the viewer's left first."""
EYES = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = (*OUTER_LIPS, *INNER_LIPS)
BROWS = (276, 283, 282, 295, 285, 300, 293, 334, 296, 336, 46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
FEATURES = ((1.0, EYES), (0.7, LIPS), (0.4, BROWS))
"""How bright what is."""
DARKEST = 0.2  # of a place in the face; 0 is outside
CELL = 8  # pixels, side of a cell of the latents
EYES_APART = 0.194  # of a portrait's side, as `omokage.pose` has it
REACH = 0.028  # of a portrait's side, how far a point is seen
COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0))  # eyes, nose, mouth corners; the viewer's left first
NOSE = 2
LEAST = 0.3  # likely, of what belongs to a head a little; what is as unlikely not to does so wholly
SPECK = 7  # pixels, across what is too narrow to be a part of a head: shreds of what was behind it
ENDING = 12  # pixels, over which hair and neck that end below are mixed with what was made there
LIMB_BRIGHTNESS = 0.6
DISC, LIMB = 10 / 1024, 4 / 1024  # radii, shares of the side: InstantID draws them on 1024 pixels
SOFT_CELLS = 16


class LimbsPicture(nn.Module):
    """A face's points [B, 468, 2] (x, y in 0..1 of the side) to a drawing [B, 3, size, size] in 0..1, InstantID's: discs, and limbs to the nose."""

    grid: Tensor  # [1, size, size, 2]
    colours: Tensor  # [5, 3]

    def __init__(self, size: int) -> None:
        super().__init__()
        self.edge = 1 / size
        line = (torch.arange(size) + 0.5) / size
        self.register_buffer("grid", torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None], persistent=False)
        self.register_buffer("colours", torch.tensor(COLOURS), persistent=False)

    def forward(self, landmarks: Tensor) -> Tensor:
        keypoints = torch.stack([landmarks[:, list(points)].mean(1) for points in KEYPOINTS], 1)
        picture = torch.zeros_like(keypoints[:, :1, :1, None]).expand(-1, 3, self.grid.shape[1], self.grid.shape[2])
        nose = keypoints[:, NOSE, None, None]
        for point in (0, 1, 3, 4):
            start = keypoints[:, point, None, None]
            along = nose - start
            share = ((self.grid - start) * along).sum(-1, keepdim=True) / (along.square().sum(-1, keepdim=True) + 1e-8)
            nearest = start + share.clamp(0, 1) * along
            picture = self._over(picture, nearest, LIMB, self.colours[point] * LIMB_BRIGHTNESS)
        for point in range(len(COLOURS)):
            picture = self._over(picture, keypoints[:, point, None, None], DISC, self.colours[point])
        return picture

    def _over(self, picture: Tensor, middle: Tensor, radius: float, colour: Tensor) -> Tensor:
        """The picture with a soft-edged spot round `middle` painted over it."""
        distance = (self.grid - middle).square().sum(-1).add(1e-12).sqrt()
        cover = ((radius - distance) / self.edge + 0.5).clamp(0, 1)[:, None]
        return picture * (1 - cover) + colour[:, None, None] * cover


class FacePicture(nn.Module):
    """A face's points [B, 468, 2] (x, y in 0..1 of the side) and its texture [B, 3, T, T] (`export/texture.py`) to two pictures and two maps.

    The first, [B, 3, size, size] in 0..1, says of each place in the face which it is. Red: across, green: down on the mean face; blue: eyes, lips
    and brows. What lies between points is their mean, the nearer the more. The second, [B, 3, size, size] in -1..1, is the texture laid onto
    those places. Where a place comes from is smooth, and so computed at half the side and enlarged. The first map, the cover
    [B, 1, size / 8, size / 8], says how much of each cell of the latents the head on the second picture covers: the face and what lies close to it
    (`in_head`), below that hair and neck as far as `clothes` takes them for none, nothing where nobody is or what is seen is narrow. Cells of which
    it covers less than half are 0: their latents are of the grey beside it, too, and would be seen as a pale border. The second, the matte
    [B, 1, size, size], says the same of every pixel, a little inside the head's outline, and falls slowly to 0 where hair and neck end below. Without
    `clothes` an untrained one is taken, by which nothing below belongs to the head: so it is in training.
    """

    line: Tensor  # [size / 2]
    paints: Tensor  # [1, 1044, 4]: colours of the face's points, and which those are
    places: Tensor  # [1, 1044, 2]
    reach: Tensor  # [1044]

    def __init__(self, size: int, clothes: Clothes | None = None) -> None:
        super().__init__()
        self.clothes = Clothes().requires_grad_(False) if clothes is None else clothes
        self.register_buffer("line", (torch.arange(size // 2) + 0.5) / (size // 2), persistent=False)
        self.register_buffer("paints", torch.cat([_colours()[None], of_the_face()], 2), persistent=False)
        self.register_buffer("places", places_in_texture()[None], persistent=False)
        self.register_buffer("reach", reaches(REACH, EYES_APART), persistent=False)
        self.head = Head()

    def forward(self, landmarks: Tensor, texture: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        points, most = self.head(landmarks)
        reach = torch.cat([self.reach[:MARKS].expand(most.shape[0], -1), torch.minimum(most, self.reach[MARKS:])], 1)
        painted, from_where = carried(self.line, points, self.places.expand_as(points), reach[:, None], self.paints)
        found, weights = torch.split(painted, [3, 1], 1)
        drawing = F.interpolate(found / (weights + THIN), scale_factor=2.0, mode="bilinear", align_corners=False)
        from_where = F.interpolate(from_where, scale_factor=2.0, mode="bilinear", align_corners=False)
        seen = torch.cat([texture * 2 - 1, self.clothes(texture).neg().sigmoid()], 1)
        laid, bare = torch.split(sampled(seen, from_where).clamp(-1, 1), [3, 1], 1)
        own = _opened(torch.maximum(in_head(from_where), sure(bare)) * somebody(laid))
        cover = (2 * F.avg_pool2d(own, CELL) - 1).clamp(0, 1)
        matte = _within((2 * own - 1).clamp(0, 1)) * (1 - below_face(from_where) * (1 - _ending(own)))
        return drawing, laid, cover, matte


def sure(share: Tensor) -> Tensor:
    """0..1: shares of likeliness made into decisions with soft edges."""
    return ((share - LEAST) / (1 - 2 * LEAST)).clamp(0, 1)


def _opened(own: Tensor) -> Tensor:
    """[B, 1, h, w]: without what is narrower than SPECK."""
    eroded = -F.max_pool2d(-own, SPECK, 1, SPECK // 2)
    return F.max_pool2d(eroded, SPECK, 1, SPECK // 2)


def _within(own: Tensor) -> Tensor:
    """[B, 1, h, w]: less by a pixel to every side, and soft over two."""
    return F.avg_pool2d(-F.max_pool2d(-own, 3, 1, 1), 3, 1, 1, count_include_pad=False)


def _ending(own: Tensor) -> Tensor:
    """[B, 1, h, w]: 0 where something ends upwards or downwards, 1 so many pixels from there."""
    return (2 * F.avg_pool2d(own, (2 * ENDING + 1, 1), 1, (ENDING, 0), count_include_pad=False) - 1).clamp(0, 1)


def _colours() -> Tensor:
    """[1044, 3] of the points: where they lie on the mean face, and what they belong to; those round it have none."""
    places = mean_face()[:, :2]
    low, high = places.amin(0), places.amax(0)
    belongs = torch.zeros(len(places))
    for brightness, points in FEATURES:
        belongs[list(points)] = brightness
    face = torch.cat([DARKEST + (1 - DARKEST) * (places - low) / (high - low), belongs[:, None]], 1)
    return torch.cat([face, torch.zeros_like(round_face())])


class SoftPicture(nn.Module):
    """A picture [B, 3, H, W] in 0..1 to one of the same size that keeps light, colour and soft shape only: 16 x 16 cells, smoothly enlarged."""

    def forward(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[2:]
        cells = F.avg_pool2d(picture, (height // SOFT_CELLS, width // SOFT_CELLS))
        return self.enlarged(cells, height)

    @staticmethod
    def enlarged(cells: Tensor, size: int) -> Tensor:
        """[B, 3, 16, 16] -> [B, 3, size, size]."""
        return F.interpolate(cells, (size, size), mode="bilinear", align_corners=False)

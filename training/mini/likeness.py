"""How unlike the person a predicted picture is, with gradients: the face aligned, SFace. Of a portrait the latents round the face are decoded at
half their side first."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from omokage.faces import CROP, TEMPLATE, similarity
from torch import Tensor

from export.autoencoder import Autoencoder
from export.conditions import KEYPOINTS
from export.face_models import clean_models
from export.identity_encoder import IdentityEncoder
from export.texture import SIDE, places_in_texture
from training.mini.corpus import Corpus
from training.mini.pictures import SIZE

CELLS = 16  # side of the halved latents
WINDOW = 12  # cells, side of what is decoded: an aligned face is 9 wide in the middle, 11 at most


class Likeness:
    """The autoencoder and SFace stay as they are; what is learned lies before them."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        self._autoencoder = autoencoder.eval().requires_grad_(False)
        self._identity = IdentityEncoder(clean_models()[1])

    def unlike(self, latent: Tensor, points: Tensor, wanted: Tensor) -> Tensor:
        """[n] one minus the cosine, of latents [n, C, 16, 16] with a face at points [n, 5, 2] in pixels of the full picture, to vectors [n, 128]."""
        cell = SIZE / CELLS
        corners = (points.mean(1) / cell - WINDOW / 2).round().clamp(0, CELLS - WINDOW).long()
        around = torch.stack([one[:, y : y + WINDOW, x : x + WINDOW] for one, (x, y) in zip(latent, corners.tolist(), strict=True)])
        pictures = self._autoencoder.decode(around.contiguous(memory_format=torch.channels_last)).float()
        faces = aligned(pictures, points - corners[:, None] * cell, WINDOW * cell)
        return 1 - F.cosine_similarity(self._identity((faces + 1) * 127.5).float(), wanted)


class TextureLikeness:
    """How unlike a person a face is as it lies in its texture. SFace stays as it is."""

    def __init__(self) -> None:
        self._identity = IdentityEncoder(clean_models()[1])
        places = places_in_texture()
        self._points = torch.stack([places[list(points)].mean(0) for points in KEYPOINTS])[None] * SIDE

    def __call__(self, texture: Tensor, wanted: Tensor) -> Tensor:
        """[n] one minus the cosine, of textures [n, 3, 192, 192] in 0..1 to vectors [n, 128]."""
        faces = aligned(texture, self._points.expand(len(texture), -1, -1), SIDE)
        return 1 - F.cosine_similarity(self._identity(faces * 255), wanted)


def own_vectors(corpus: Corpus) -> Tensor:
    """[n, 128]: of every picture the mean vector of all shots of its person, of length 1."""
    own = torch.from_numpy(np.unique(corpus.seed, return_inverse=True)[1])
    vectors = F.normalize(torch.from_numpy(corpus.identity).float(), dim=1)
    return F.normalize(torch.zeros(int(own.max()) + 1, vectors.shape[1]).index_add_(0, own, vectors)[own], dim=1)


def aligned(pictures: Tensor, points: Tensor, side: float) -> Tensor:
    """[n, 3, 112, 112]: faces of pictures [n, 3, S, S], however large S is, brought to ArcFace's template as omokage.faces does.

    `points` [n, 5, 2] and the pictures' `side` have one unit.
    """
    grids = []
    line = np.arange(CROP, dtype=np.float64)
    places = np.stack([*np.meshgrid(line, line), np.ones((CROP, CROP))], -1)
    for one in points.numpy().astype(np.float32):
        forth = np.vstack([similarity(one, TEMPLATE), [0, 0, 1]])
        back: npt.NDArray[np.float64] = places @ np.linalg.inv(forth)[:2].T
        grids.append((back + 0.5) / side * 2 - 1)
    grid = torch.from_numpy(np.stack(grids).astype(np.float32))
    return F.grid_sample(pictures, grid, align_corners=False)

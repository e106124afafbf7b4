"""What a ControlNet adds to the rows of a batch that have a picture for it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from omokage.pose import fitted
from torch import Tensor

from export.autoencoder import Autoencoder
from export.conditions import FacePicture, SoftPicture
from export.controlnet import Control
from training.mini.contexts import Contexts
from training.mini.corpus import Corpus, Indices
from training.mini.pictures import SIZE
from training.mini.precision import fast

Residuals = Callable[[Tensor, Tensor, Contexts], tuple[Tensor, ...]]
"""Noisy latents [B, C, h, w], steps [B] and contexts to what is added to the UNet's features."""


class Pose(NamedTuple):
    """What the ControlNet of poses looks at, of n rows."""

    drawing: Tensor  # [n, 3, 256, 256] in 0..1
    reference: Tensor  # [n, C, 32, 32] latents of the face's texture laid onto it, zeros without one
    cover: Tensor  # [n, 1, 32, 32] how much of a cell the head there covers, zeros without one


class Conditions:
    """What ControlNets look at."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        self._draw_pose, self._autoencoder = FacePicture(SIZE), autoencoder

    @torch.no_grad()
    def pose(self, corpus: Corpus, shown: Indices, faces: Indices, shapes: Indices, textured: npt.NDArray[np.bool_] | None = None) -> Pose:
        """Of heads that lie as in the pictures `shown`, each with the shape that it has in `shapes` and (where `textured` says so; None: everywhere)
        the texture that it has in `faces`."""
        landmarks = [_landmarks(corpus, *pair) / SIZE for pair in zip(shown, shapes, strict=True)]
        if not landmarks:
            return Pose(torch.zeros(0, 3, SIZE, SIZE), torch.zeros(0, *corpus.latent.shape[1:]), torch.zeros(0, 1, *corpus.latent.shape[2:]))
        drawing, laid, cover, _ = self._draw_pose(torch.from_numpy(np.stack(landmarks)), torch.from_numpy(corpus.texture[faces]).float() / 255)
        known = torch.from_numpy(corpus.found[faces] if textured is None else corpus.found[faces] & textured)[:, None, None, None]
        with fast():
            latent = self._autoencoder.encode(laid.contiguous(memory_format=torch.channels_last)).float()
        return Pose(drawing, latent * known, cover * known)

    def shading(self, corpus: Corpus, chosen: Indices) -> Tensor:
        return SoftPicture.enlarged(torch.from_numpy(corpus.soft[chosen]).permute(0, 3, 1, 2).float() / 255, SIZE)


def _landmarks(corpus: Corpus, shown: int, shape: int) -> npt.NDArray[np.float32]:
    """[468, 2] pixels; the very points of the picture where the detector found no face to take the shape from."""
    return fitted(corpus.shape[shape], corpus.landmarks[shown]) if corpus.found[shape] else corpus.landmarks[shown]


def steered(control: Control, condition: Tensor, *more: Tensor, by_face: bool, rows: Tensor | None = None) -> Residuals:
    """Residuals, for the given rows of a batch (None: all), by a condition and `more` that the ControlNet takes; zeros for the others. The context is
    the face's tokens, or those of the words."""

    def added(latent: Tensor, step: Tensor, contexts: Contexts) -> tuple[Tensor, ...]:
        tokens = contexts.face_tokens if by_face else contexts.text_tokens
        chosen = torch.arange(len(latent)) if rows is None else rows
        given = latent[chosen].contiguous(memory_format=torch.channels_last)
        some = control.controlnet(given, step[chosen], condition, control.project(tokens[chosen]), torch.ones(len(chosen)), *more)
        return tuple(one.new_zeros(len(latent), *one.shape[1:]).index_copy(0, chosen, one) for one in some)

    return added

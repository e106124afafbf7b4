"""What a face does, from words: its shape with the expression that they ask for."""

from typing import NamedTuple

import torch
from torch import Tensor

from export.families import MARKS
from export.ways import READ, Ways

COUNT = 32  # ways; they hold .997 of how shots of one person differ
USUAL, TOLD = 0.25, 1.2
"""How much of the way a face goes to the expression that is usual where nothing is said of it, and how many times what the words say beyond that."""


class Faint(NamedTuple):
    """What is hardly seen if it is told no more than all else: how many times `more` it is, and how much more of the way a face goes to the
    expression that is usual, since a photo's own hides it."""

    more: float
    usual: float = 0.0


FAINT = {"a person with raised brows": Faint(2.4), "a smiling person": Faint(1.2, usual=0.35)}


class FaceExpression(Ways):
    """Shape [B, 468, 3] from the front, states [B, 77, 384], mask [B, 77] and expression scale [B] to a shape [B, 468, 3]: the same face with the
    expression of the words. A scale of 0 leaves the shape as it is.

    As in classifier-free guidance (Ho and Salimans 2022) the words count by what they say more than no words. What FAINT says, too, counts more.
    """

    silence: Tensor  # [1, 192]: what is read where nothing is said
    faint: Tensor  # [n, 192]: what is read in FAINT

    def __init__(self, states: int = 384) -> None:
        super().__init__(MARKS * 3, COUNT, states)
        self.register_buffer("silence", torch.zeros(1, READ), persistent=False)
        self.register_buffer("faint", torch.zeros(len(FAINT), READ), persistent=False)

    @torch.no_grad()
    def listen(self, nothing: Tensor, *faint: Tensor) -> None:
        """Take what is read in the states [tokens, 384] of no words for silence, and those of FAINT for these; after training: it changes."""
        for place, states in zip((self.silence, *torch.split(self.faint, 1)), (nothing, *faint), strict=True):
            place.copy_(self.read(states[None], torch.ones(1, len(states))))

    def forward(self, shape: Tensor, states: Tensor, mask: Tensor, expression_scale: Tensor) -> Tensor:
        usual, *faint = (self.moved(shape, read.expand(shape.shape[0], -1)) for read in (self.silence, *torch.split(self.faint, 1)))
        told = self.moves(shape, states, mask) - usual
        moves = USUAL * usual + TOLD * told
        for how, whole in zip(FAINT.values(), (one - usual for one in faint), strict=True):
            moves = moves + share_of(told, whole) * (how.more * whole + how.usual * usual)
        return shape + expression_scale[:, None, None] * self.added(moves).reshape(-1, MARKS, 3)


def share_of(told: Tensor, whole: Tensor) -> Tensor:
    """[B, 1] in 0..1: how much of `whole` [B, n] is in what is told [B, n]."""
    return ((told * whole).sum(1, keepdim=True) / whole.square().sum(1, keepdim=True).clamp_min(1e-6)).clamp(0, 1)

"""What a face does, from words: its shape with the expression that they ask for."""

import torch
from torch import Tensor

from export.families import MARKS
from export.ways import READ, Ways

COUNT = 32  # ways; they hold .997 of how shots of one person differ
USUAL, TOLD = 0.25, 1.8
"""How much of the way a face goes to the expression that is usual where nothing is said of it, and how many times what the words say beyond that."""


class FaceExpression(Ways):
    """Shape [B, 468, 3] from the front, states [B, 77, 384], mask [B, 77] and expression scale [B] to a shape [B, 468, 3]: the same face with the
    expression of the words. A scale of 0 leaves the shape as it is.

    As in classifier-free guidance (Ho and Salimans 2022) the words count by what they say more than no words.
    """

    silence: Tensor  # [1, 192]: what is read where nothing is said

    def __init__(self, states: int = 384) -> None:
        super().__init__(MARKS * 3, COUNT, states)
        self.register_buffer("silence", torch.zeros(1, READ), persistent=False)

    @torch.no_grad()
    def hush(self, nothing: Tensor) -> None:
        """Take what is read in the states [tokens, 384] of no words for silence; after training, since it changes."""
        self.silence.copy_(self.read(nothing[None], torch.ones(1, len(nothing))))

    def forward(self, shape: Tensor, states: Tensor, mask: Tensor, expression_scale: Tensor) -> Tensor:
        told, usual = self.moves(shape, states, mask), self.moved(shape, self.silence.expand(shape.shape[0], -1))
        changes = self.added(USUAL * usual + TOLD * (told - usual)).reshape(-1, MARKS, 3)
        return shape + expression_scale[:, None, None] * changes

"""What a face does, from words: its shape with the expression that they ask for."""

import torch
from torch import Tensor, nn

from export.families import MARKS

WAYS = 32  # they hold .997 of how shots of one person differ
HEADS, HEAD_WIDTH, HIDDEN = 4, 48, 256  # of the attention that reads the words, numbers of each, and of the layers between


class FaceExpression(nn.Module):
    """Shape [B, 468, 3] from the front, states [B, 77, 384], mask [B, 77] and expression scale [B] to a shape [B, 468, 3]: the same face with the
    expression of the words, or with a usual one where they say nothing of it. A scale of 0 leaves the shape as it is.

    A face moves along few ways only: `ways` [n, 1404] are the principal components of how shots of one person differ, each point `weight`ed, `spread`
    [n] is how far it goes, and `reach` [n] how far people differ along them, in spreads. What is learned is how far along each: from where the face
    is, and from the words, read by attention.
    """

    mean: Tensor  # [1404] of all shapes
    weight: Tensor  # [1404], eyes and mouth count more
    ways: Tensor
    spread: Tensor
    reach: Tensor

    def __init__(self, states: int = 384) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(MARKS * 3))
        self.register_buffer("weight", torch.ones(MARKS * 3))
        self.register_buffer("ways", torch.randn(WAYS, MARKS * 3) * 0.01)
        self.register_buffer("spread", torch.full((WAYS,), 0.1))
        self.register_buffer("reach", torch.full((WAYS,), 2.0))
        self.norm = nn.LayerNorm(states)
        self.seek = nn.Linear(states, HEADS)
        self.take = nn.Linear(states, HEADS * HEAD_WIDTH)
        self.layers = nn.Sequential(
            nn.Linear(HEADS * HEAD_WIDTH + WAYS, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WAYS)
        )

    def along(self, shape: Tensor) -> Tensor:
        """[B, n]: where a shape lies along the ways, in their spreads."""
        return ((shape.flatten(1) - self.mean) * self.weight) @ self.ways.T / self.spread

    def moves(self, shape: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """[B, n]: how far the words move it along the ways, in their spreads."""
        read = self.norm(states)
        shares = (self.seek(read) + (mask[..., None] - 1) * 1e4).softmax(1)  # [B, 77, heads]
        found = (shares[..., None] * self.take(read).reshape(*read.shape[:2], HEADS, HEAD_WIDTH)).sum(1).flatten(1)
        return self.layers(torch.cat([found, self.along(shape) / self.reach], 1))  # type: ignore[no-any-return]

    def forward(self, shape: Tensor, states: Tensor, mask: Tensor, expression_scale: Tensor) -> Tensor:
        moved = (self.moves(shape, states, mask) * self.spread) @ self.ways / self.weight
        return shape + expression_scale[:, None, None] * moved.reshape(-1, MARKS, 3)

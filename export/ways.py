"""What words change of a head, along the few ways in which one person's shots differ."""

import torch
from torch import Tensor, nn

HEADS, HEAD_WIDTH, HIDDEN = 4, 48, 256  # of the attention that reads the words, numbers of each, and of the layers between
READ = HEADS * HEAD_WIDTH


class Reading(nn.Module):
    """States [B, 77, D] and mask [B, 77] of words to what is read in them [B, 192], by attention."""

    def __init__(self, states: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(states)
        self.seek = nn.Linear(states, HEADS)
        self.take = nn.Linear(states, READ)

    def read(self, states: Tensor, mask: Tensor) -> Tensor:
        """[B, 192]"""
        normed = self.norm(states)
        shares = (self.seek(normed) + (mask[..., None] - 1) * 1e4).softmax(1)  # [B, 77, heads]
        taken = self.take(normed).reshape(*normed.shape[:2], HEADS, HEAD_WIDTH)
        return (shares[..., None] * taken).sum(1).flatten(1)  # type: ignore[no-any-return]


class Ways(Reading):
    """Values [B, d] of a head, states [B, 77, D] and mask [B, 77] of words to how far the words move it.

    A head moves along few ways only: `ways` [n, d] are the principal components of how shots of one person differ, each value `weight`ed, `spread`
    [n] is how far it goes, and `reach` [n] how far people differ along them, in spreads. What is learned is how far along each: from where the head
    is, and from the words, read by attention.
    """

    mean: Tensor  # [d] of all values
    weight: Tensor  # [d], some values count more
    ways: Tensor
    spread: Tensor
    reach: Tensor

    def __init__(self, values: int, count: int, states: int) -> None:
        super().__init__(states)
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("weight", torch.ones(values))
        self.register_buffer("ways", torch.randn(count, values) * 0.01)
        self.register_buffer("spread", torch.full((count,), 0.1))
        self.register_buffer("reach", torch.full((count,), 2.0))
        self.layers = nn.Sequential(nn.Linear(READ + count, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, count))

    def along(self, values: Tensor) -> Tensor:
        """[B, n]: where values lie along the ways, in their spreads."""
        return ((values.flatten(1) - self.mean) * self.weight) @ self.ways.T / self.spread

    def moved(self, values: Tensor, read: Tensor) -> Tensor:
        """[B, n]: how far what is `read` [B, 192] moves them along the ways, in their spreads."""
        return self.layers(torch.cat([read, self.along(values) / self.reach], 1))  # type: ignore[no-any-return]

    def moves(self, values: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """[B, n]: how far the words move them along the ways, in their spreads."""
        return self.moved(values, self.read(states, mask))

    def added(self, moves: Tensor) -> Tensor:
        """[B, d]: what moves add to the values."""
        return (moves * self.spread) @ self.ways / self.weight

    def changes(self, values: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """[B, d]: what the words add to the values."""
        return self.added(self.moves(values, states, mask))

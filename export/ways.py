"""What words change of a head, along the few ways in which one person's shots differ."""

import torch
from torch import Tensor, nn

HEADS, HEAD_WIDTH, HIDDEN = 4, 48, 256  # of the attention that reads the words, numbers of each, and of the layers between


class Ways(nn.Module):
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
        super().__init__()
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("weight", torch.ones(values))
        self.register_buffer("ways", torch.randn(count, values) * 0.01)
        self.register_buffer("spread", torch.full((count,), 0.1))
        self.register_buffer("reach", torch.full((count,), 2.0))
        self.norm = nn.LayerNorm(states)
        self.seek = nn.Linear(states, HEADS)
        self.take = nn.Linear(states, HEADS * HEAD_WIDTH)
        self.layers = nn.Sequential(
            nn.Linear(HEADS * HEAD_WIDTH + count, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, count)
        )

    def along(self, values: Tensor) -> Tensor:
        """[B, n]: where values lie along the ways, in their spreads."""
        return ((values.flatten(1) - self.mean) * self.weight) @ self.ways.T / self.spread

    def moves(self, values: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """[B, n]: how far the words move them along the ways, in their spreads."""
        read = self.norm(states)
        shares = (self.seek(read) + (mask[..., None] - 1) * 1e4).softmax(1)  # [B, 77, heads]
        found = (shares[..., None] * self.take(read).reshape(*read.shape[:2], HEADS, HEAD_WIDTH)).sum(1).flatten(1)
        return self.layers(torch.cat([found, self.along(values) / self.reach], 1))  # type: ignore[no-any-return]

    def changes(self, values: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """[B, d]: what the words add to the values."""
        return (self.moves(values, states, mask) * self.spread) @ self.ways / self.weight

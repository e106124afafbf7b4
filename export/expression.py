"""What a face does, from words: its shape with the expression that they ask for."""

from torch import Tensor

from export.families import MARKS
from export.ways import Ways

COUNT = 32  # ways; they hold .997 of how shots of one person differ


class FaceExpression(Ways):
    """Shape [B, 468, 3] from the front, states [B, 77, 384], mask [B, 77] and expression scale [B] to a shape [B, 468, 3]: the same face with the
    expression of the words, or with a usual one where they say nothing of it. A scale of 0 leaves the shape as it is."""

    def __init__(self, states: int = 384) -> None:
        super().__init__(MARKS * 3, COUNT, states)

    def forward(self, shape: Tensor, states: Tensor, mask: Tensor, expression_scale: Tensor) -> Tensor:
        return shape + expression_scale[:, None, None] * self.changes(shape, states, mask).reshape(-1, MARKS, 3)

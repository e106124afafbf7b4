"""Where a picture is of somebody, and where of nobody: there it is grey."""

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = 0.06  # of a texture in -1..1: what is nearer to 0 may be nobody
HOLE = 13  # pixels, as wide as no hole or gap in somebody is


def somebody(picture: Tensor) -> Tensor:
    """[B, 1, h, w] in 0..1: where a picture [B, 3, h, w] in -1..1 is not the grey of nobody. What is grey on somebody, in a small hole or gap, is
    theirs; beyond the picture's edge is nobody."""
    beyond, seen = HOLE - 1, not_grey(picture)
    for axis in (2, 3):  # not F.pad: ONNX Runtime makes a part of the pooling of that, and then refuses what reaches farther than it pools
        nobody = seen.narrow(axis, 0, beyond) * 0
        seen = torch.cat([nobody, seen, nobody], axis)
    return -_largest(-_largest(seen))[..., beyond:-beyond, beyond:-beyond]


def not_grey(picture: Tensor) -> Tensor:
    """[B, 1, h, w] in 0..1: where a picture [B, 3, h, w] in -1..1 is of another colour than nobody's grey."""
    return (picture.abs().amax(1, keepdim=True) / GREY).clamp(0, 1)


def _largest(map_: Tensor) -> Tensor:
    """Of HOLE places to all sides together; first across, then down."""
    across = F.max_pool2d(map_, (1, HOLE), 1, (0, HOLE // 2))
    return F.max_pool2d(across, (HOLE, 1), 1, (HOLE // 2, 0))

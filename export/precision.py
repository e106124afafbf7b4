"""A network in half precision, with tensors as its spec says at its border, and norms in single precision inside: their sums of squares overflow."""

import torch
from torch import Tensor, nn

from export.families import Precision
from export.tensors import Network

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "int64": torch.int64}
NORMS = (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm1d, nn.BatchNorm2d)


class Bordered(nn.Module):
    """A network that computes in `precision` and takes and gives what its spec says."""

    def __init__(self, network: nn.Module, spec: Network, precision: Precision) -> None:
        super().__init__()
        self.network, self.inside = network.to(DTYPES[precision]), DTYPES[precision]
        self.outside = [DTYPES[tensor.dtype] for tensor in spec.outputs]
        if precision == "fp16":
            for norm in [part for part in network.modules() if isinstance(part, NORMS)]:
                norm.float().register_forward_pre_hook(_in_single)
                norm.register_forward_hook(_in_half)

    def forward(self, *given: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = self.network(*[one.to(self.inside) if one.is_floating_point() else one for one in given])
        several = found if isinstance(found, tuple) else (found,)
        made = tuple(one.to(dtype) for one, dtype in zip(several, self.outside, strict=True))
        return made if isinstance(found, tuple) else made[0]


def _in_single(_: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
    return (given[0].float(),)


def _in_half(_: nn.Module, __: tuple[Tensor], found: Tensor) -> Tensor:
    return found.half()

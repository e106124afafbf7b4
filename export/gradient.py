"""The UNet's error in telling one picture from noise, and how it would change with the keys and values: what a personal prior is learned by.

The gradient is a graph like any other, so who learns needs no torch: the engine says which way, and the client goes (`omokage.personal`).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions, get_decompositions
from torch.fx.experimental.proxy_tensor import make_fx

from export.unet import HoistedAttention, Unet

aten = torch.ops.aten


class UnetGradient(nn.Module):
    """The inputs of `Unet`, then `target` [B, C, h, w] and `importance` [B, 1, h, w], to `loss` [B], its gradient by `text_kv` and by `id_kv`, and
    `attention` [B, T, cells]: how much each cell of the finest layers looks at each token of the words, in the mean of their heads.

    The loss is the mean over channels and cells of the square error times the importance.
    """

    def __init__(self, unet: Unet) -> None:
        super().__init__()
        self.unet = unet.requires_grad_(False)

    def forward(self, sample: Tensor, timestep: Tensor, text_kv: Tensor, id_kv: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        control, target, importance = more[:-2], more[-2], more[-1]
        seen: list[Tensor] = []
        self._watched(seen.append)
        by = text_kv.detach().requires_grad_(), id_kv.detach().requires_grad_()
        with torch.enable_grad():
            found = self.unet(sample, timestep, *by, *control)
            loss = ((found - target).square() * importance).mean((1, 2, 3))
            slopes = torch.autograd.grad(loss.sum(), by)
        self._watched(None)
        finest = max(one.shape[2] for one in seen)
        attention = torch.stack([one.mean(1) for one in seen if one.shape[2] == finest]).mean(0).transpose(1, 2)
        return tuple(one.detach() for one in (loss, *slopes, attention))

    def _watched(self, watch: Callable[[Tensor], object] | None) -> None:
        for processor in self.unet.network.attn_processors.values():
            if isinstance(processor, HoistedAttention):
                processor.watch = watch


def traced(module: nn.Module, inputs: tuple[Tensor, ...]) -> torch.fx.GraphModule:
    """Forward and backward as one graph of plain operators, for inputs of these shapes."""
    return make_fx(module, decomposition_table=dict(core_aten_decompositions()) | get_decompositions(NORMS) | BACKWARD)(*inputs)


def _by_input(
    gradient: Tensor, given: Tensor, weight: Tensor, bias_sizes: Any, stride: Any, padding: Any, dilation: Any, *how: Any
) -> tuple[Tensor, None, None]:
    """Of a convolution, by its input alone: weights are constants here."""
    left_over = [(side + 2 * pad - kernel) % step for side, pad, kernel, step in zip(given.shape[2:], padding, weight.shape[2:], stride, strict=True)]
    return aten.convolution(gradient, weight, None, stride, padding, dilation, True, left_over, how[2]), None, None


def _gathered(gradient: Tensor, output_size: Any, input_size: Any, *scales: Any) -> Tensor:
    """Of enlarging by repeating cells: the sum of their copies."""
    rows, channels, height, width = input_size
    return gradient.reshape(rows, channels, height, output_size[0] // height, width, output_size[1] // width).sum((3, 5))


def _put_back(gradient: Tensor, sizes: Any, dim: int, start: int, end: int, step: int) -> Tensor:
    """Of a slice: zeros around it."""
    assert step == 1
    dim %= len(sizes)
    after = sizes[dim] - start - gradient.shape[dim]
    return aten.constant_pad_nd(gradient, [0, 0] * (len(sizes) - 1 - dim) + [start, after])  # type: ignore[no-any-return]


def _spread(zeros: Tensor, indices: Any, gradient: Tensor, accumulate: bool = False) -> Tensor:
    """Of columns that were picked, each once: TensorRT scatters nothing that may add up, so every column looks where it was picked to, or at a
    zero."""
    (columns,) = [one for one in indices if one is not None]
    count = gradient.shape[1]
    places = torch.full((zeros.shape[1],), count, dtype=torch.int64).scatter(0, columns, torch.arange(count))
    return torch.cat([gradient, zeros[:, :1]], 1).index_select(1, places)


NORMS = (aten.native_layer_norm, aten.native_group_norm)
"""Their means and deviations go into the way back, and TensorRT's own operators do not tell them."""
BACKWARD = {
    aten.convolution_backward.default: _by_input,
    aten.upsample_nearest2d_backward.default: _gathered,
    aten.slice_backward.default: _put_back,
    aten.index_put.default: _spread,
}
"""What ONNX has no operator for, by those that it has."""

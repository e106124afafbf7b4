"""How alike two pictures are."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, SIGMA = 11, 1.5  # of SSIM, pixels
C1, C2 = 0.01**2, 0.03**2


def psnr(first: Tensor, second: Tensor) -> Tensor:
    """[B] dB of pictures [B, 3, H, W] in 0..1."""
    return -10 * torch.log10((first - second).square().mean((1, 2, 3)))


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """[B] structural similarity of pictures [B, 3, H, W] in 0..1. Wang et al. 2004, eq. 13, Gaussian window."""
    line = torch.exp(-((torch.arange(WINDOW) - WINDOW // 2).float() ** 2) / (2 * SIGMA**2))
    window = (line[:, None] * line[None] / line.sum() ** 2).expand(3, 1, WINDOW, WINDOW)

    def mean(picture: Tensor) -> Tensor:
        return F.conv2d(picture, window, groups=3)

    a, b = mean(first), mean(second)
    va, vb, cross = mean(first * first) - a * a, mean(second * second) - b * b, mean(first * second) - a * b
    return (((2 * a * b + C1) * (2 * cross + C2)) / ((a * a + b * b + C1) * (va + vb + C2))).mean((1, 2, 3))


def chroma(picture: Tensor) -> Tensor:
    """[B, 2, H, W]: Cb and Cr of RGB [B, 3, H, W]. ITU-R BT.601."""
    red, green, blue = picture.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return torch.stack([(blue - luma) * 0.564, (red - luma) * 0.713], 1)


def slope(truth: Tensor, found: Tensor) -> float:
    """Of the line through 0 that fits found over truth best; 1 where nothing is lost."""
    return float((truth * found).sum() / (truth * truth).sum())


def gradients_apart(truth: Tensor, found: Tensor) -> Tensor:
    """Mean distance of the slopes in x and y, summed over three scales."""
    apart = truth.new_zeros(())
    for scale in range(3):
        if scale:
            truth, found = F.avg_pool2d(truth, 2), F.avg_pool2d(found, 2)
        difference = truth - found
        apart = apart + difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
    return apart

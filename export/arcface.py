"""The residual network of ArcFace (Deng et al. 2019), with the names of insightface's `arcface_torch`, so that its files fit."""

import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)


class _Block(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, width, 3, 1, 1, bias=False)
        self.bn2, self.prelu = nn.BatchNorm2d(width), nn.PReLU(width)
        self.conv2, self.bn3 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)) if stride > 1 else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        found = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(features))))))
        return found + self.downsample(features)  # type: ignore[no-any-return]


class ArcFace(nn.Module):
    """Aligned faces [B, 3, 112, 112], RGB 0..255, to identity vectors [B, `width`]. `blocks` of each stage: 3, 13, 30, 3 are iresnet100's.

    `unit`: whether they are divided by their length. InstantID wants them as they are, IP-Adapter-FaceID of unit length.
    """

    def __init__(self, blocks: tuple[int, ...], width: int, *, unit: bool, side: int = 112) -> None:
        super().__init__()
        self.unit = unit
        self.conv1, self.bn1, self.prelu = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.PReLU(WIDTHS[0])
        before = WIDTHS[0]
        for place, (count, stage) in enumerate(zip(blocks, WIDTHS, strict=True), 1):
            self.add_module(f"layer{place}", nn.Sequential(*[_Block(before if k == 0 else stage, stage, 2 if k == 0 else 1) for k in range(count)]))
            before = stage
        self.bn2 = nn.BatchNorm2d(before)
        self.fc = nn.Linear(before * (side // 16) ** 2, width)
        self.features = nn.BatchNorm1d(width)

    def forward(self, faces: Tensor) -> Tensor:
        found = self.prelu(self.bn1(self.conv1((faces - 127.5) / 127.5)))
        for place in range(1, len(WIDTHS) + 1):
            found = self.get_submodule(f"layer{place}")(found)
        vector: Tensor = self.features(self.fc(self.bn2(found).flatten(1)))
        return F.normalize(vector, dim=1) if self.unit else vector

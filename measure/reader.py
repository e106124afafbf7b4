"""A small network that tells kinds of things in pictures, taught on such whose truth is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from omokage.faces import Image
from torch import Tensor, nn

SIDE = 96  # pixels that it sees: at 64, most hats are hair
TINT = 0.2  # each colour is lighter or darker by up to so much of it, in all pictures of a reader that is taught some without colour
Kinds = Mapping[str, tuple[str, ...]]
"""By attribute, what there may be of it."""


@dataclass(frozen=True)
class Lessons:
    """How it is taught; `mirrored`: half of the batches mirrored, where nothing is left or right; `paler`: the share of the pictures that lose some
    of their colour or all of it; above 0 all are tinted. For kinds that colours do not tell."""

    rounds: int = 30
    batch: int = 64
    mirrored: bool = False
    paler: float = 0.0


class Reader(nn.Module):
    """[B, 3, 96, 96] in 0..1 to a score for every kind of every attribute."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds
        layers: list[nn.Module] = []
        before = 3
        for width in (24, 48, 96, 128):
            layers += [nn.Conv2d(before, width, 3, 2, 1), nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1), nn.SiLU()]
            before = width
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        cells = (SIDE // 16) ** 2
        self.heads = nn.ModuleDict({name: nn.Linear(before * cells, len(some)) for name, some in kinds.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        found = self.layers(pictures)
        return {name: head(found) for name, head in self.heads.items()}


def small(images: Sequence[Image]) -> Tensor:
    """[B, 3, 96, 96] in 0..1."""
    rows = np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images])
    return torch.from_numpy(rows).permute(0, 3, 1, 2).float() / 255


def taught(kinds: Kinds, images: Sequence[Image], truths: Sequence[Mapping[str, str]], lessons: Lessons) -> Reader:
    """Trained on pictures that are shifted, dimmed, blurred and a little noisy: a portrait is not as sharp as a rendered one. All kinds of an
    attribute count alike, however rare one is."""
    torch.manual_seed(0)
    reader, pictures = Reader(kinds), small(images)
    wanted = {name: torch.tensor([some.index(one[name]) for one in truths]) for name, some in kinds.items()}
    weights = {name: evenly(wanted[name], len(some)) for name, some in kinds.items()}
    optimizer = torch.optim.AdamW(reader.parameters(), 2e-3, weight_decay=0.02)
    steps = lessons.rounds * (len(pictures) // lessons.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        chosen = torch.randint(len(pictures), (lessons.batch,))
        given = pictures[chosen].flip(3) if lessons.mirrored and torch.rand(()) < 0.5 else pictures[chosen]
        losses = [
            F.cross_entropy(score, wanted[name][chosen], weights[name]) for name, score in reader(_disturbed(faded(given, lessons.paler))).items()
        ]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return reader.eval()


def evenly(wanted: Tensor, kinds: int) -> Tensor:
    """[kinds]: what each counts, so that all together count alike."""
    return len(wanted) / (kinds * wanted.bincount(minlength=kinds).clamp_min(1).float())


def faded(pictures: Tensor, share: float) -> Tensor:
    """[B, 3, 96, 96] in 0..1: such a share of the pictures with less colour or none, all in another tint; for a share of 0 as they are."""
    if share == 0:
        return pictures
    lost = (torch.rand(len(pictures), 1, 1, 1) - (1 - share)).clamp_min(0) / share
    pale = torch.lerp(pictures, pictures.mean(1, keepdim=True).expand_as(pictures), lost)
    return (pale * (1 + TINT * (2 * torch.rand(len(pictures), 3, 1, 1) - 1))).clamp(0, 1)


def _disturbed(pictures: Tensor) -> Tensor:
    left, top = (int(one) for one in torch.randint(0, 9, (2,)))
    shifted = F.pad(pictures, (4, 4, 4, 4), mode="replicate")[..., top : top + SIDE, left : left + SIDE]
    blurred = F.avg_pool2d(F.pad(shifted, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(pictures), 1, 1, 1)
    gain = 0.8 + 0.4 * torch.rand(len(pictures), 1, 1, 1)
    return ((share * shifted + (1 - share) * blurred) * gain + 0.02 * torch.randn_like(pictures)).clamp(0, 1)


@torch.no_grad()
def read(reader: Reader, images: Sequence[Image]) -> list[dict[str, str]]:
    """What it sees in RGB pictures; without any, nothing."""
    if not images:
        return []
    scores = reader(small(images))
    return [{name: reader.kinds[name][int(score[row].argmax())] for name, score in scores.items()} for row in range(len(images))]

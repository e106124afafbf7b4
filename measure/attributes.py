"""What a portrait shows beside the face: a small network that was taught on rendered pictures, with truth for every one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from omokage.faces import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.people import lights
from training.people.backgrounds import PAINTERS

SIDE = 96  # pixels that it sees: at 64, most hats are hair
WEIGHTS = Path(__file__).with_name("attributes.safetensors")
KINDS: dict[str, tuple[str, ...]] = {
    "background": tuple(PAINTERS),
    "light side": ("none", "left", "right"),
    "glasses": ("none", "glasses", "sunglasses"),
    "hat": ("none", "hat"),
}


def truth(record: dict[str, Any]) -> dict[str, str]:
    """A rendered picture's kinds, from its record."""
    shot = record["shot"]
    light = lights.LIGHTS[shot["light"]]
    side = "none" if not light.has_side else "right" if light.azimuth * shot["light_side"] > 0 else "left"
    return {
        "background": shot["background"],
        "light side": side,
        "glasses": shot["glasses"] or "none",
        "hat": "hat" if shot["hat"] else "none",
    }


class Reader(nn.Module):
    """[B, 3, 96, 96] in 0..1 to a score for every kind of every attribute."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in (24, 48, 96, 128):
            layers += [nn.Conv2d(before, width, 3, 2, 1), nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1), nn.SiLU()]
            before = width
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        cells = (SIDE // 16) ** 2
        self.heads = nn.ModuleDict({name: nn.Linear(before * cells, len(kinds)) for name, kinds in KINDS.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        found = self.layers(pictures)
        return {name: head(found) for name, head in self.heads.items()}


def small(images: Sequence[Image]) -> Tensor:
    """[B, 3, 96, 96] in 0..1."""
    rows = np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images])
    return torch.from_numpy(rows).permute(0, 3, 1, 2).float() / 255


def taught(images: Sequence[Image], truths: Sequence[dict[str, str]], *, rounds: int = 30, batch: int = 64) -> Reader:
    """Trained on pictures that are shifted, dimmed, blurred and a little noisy: a portrait is not as sharp as a rendered one. All kinds of an
    attribute count alike, however rare one is."""
    torch.manual_seed(0)
    reader = Reader()
    pictures = small(images)
    wanted = {name: torch.tensor([kinds.index(one[name]) for one in truths]) for name, kinds in KINDS.items()}
    weights = {name: evenly(wanted[name], len(kinds)) for name, kinds in KINDS.items()}
    optimizer = torch.optim.AdamW(reader.parameters(), 2e-3, weight_decay=0.02)
    steps = rounds * (len(pictures) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        chosen = torch.randint(len(pictures), (batch,))
        losses = [F.cross_entropy(score, wanted[name][chosen], weights[name]) for name, score in reader(_disturbed(pictures[chosen])).items()]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return reader.eval()


def evenly(wanted: Tensor, kinds: int) -> Tensor:
    """[kinds]: what each counts, so that all together count alike."""
    return len(wanted) / (kinds * wanted.bincount(minlength=kinds).clamp_min(1).float())


def _disturbed(pictures: Tensor) -> Tensor:
    left, top = (int(one) for one in torch.randint(0, 9, (2,)))
    shifted = F.pad(pictures, (4, 4, 4, 4), mode="replicate")[..., top : top + SIDE, left : left + SIDE]
    blurred = F.avg_pool2d(F.pad(shifted, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(pictures), 1, 1, 1)
    gain = 0.8 + 0.4 * torch.rand(len(pictures), 1, 1, 1)
    return ((share * shifted + (1 - share) * blurred) * gain + 0.02 * torch.randn_like(pictures)).clamp(0, 1)


@torch.no_grad()
def read(reader: Reader, images: Sequence[Image]) -> list[dict[str, str]]:
    """What it sees in RGB pictures."""
    scores = reader(small(images))
    return [{name: KINDS[name][int(score[row].argmax())] for name, score in scores.items()} for row in range(len(images))]


def save(reader: Reader, path: Path = WEIGHTS) -> None:
    save_file({name: value.half() for name, value in reader.state_dict().items()}, path)


def learned(path: Path = WEIGHTS) -> Reader:
    """What `python -m measure.learn` left."""
    reader = Reader()
    reader.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return reader.eval()

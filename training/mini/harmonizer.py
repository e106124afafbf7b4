"""Stage `harmonizer`: broken borders made from the truth, to be made whole again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from export.harmonizer import Harmonizer, near_border
from training.mini import measures
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images, to_tensor
from training.people.loader import Dataset


@dataclass(frozen=True, kw_only=True)
class HarmonizerConfig:
    schedule: Schedule = Schedule(steps=3000, batch=8, learning_rate=1e-3, warmup=100, decay=0.6, average=0.998, minutes_between_checkpoints=6)
    gradient: float = 0.5
    shown: int = 8
    judged: int = 64


@dataclass(frozen=True)
class Pairs:
    """Whole pictures [n, H, W, 3], the same with a pasted face, and where [n, H, W], 0 or 255."""

    whole: Image
    composite: Image
    mask: Image

    def __len__(self) -> int:
        return len(self.whole)


def read_pairs(data: Dataset, most: int | None = None) -> Pairs:
    """The pairs of a folder of the kind `harmonize`."""
    whole, composite, mask = [], [], []
    for first, second in list(zip(data.rows[::2], data.rows[1::2], strict=True))[:most]:
        assert first.group == second.group
        whole.append(data.image(first))
        composite.append(data.image(second))
        mask.append(data.maps(second)["mask"].astype(np.uint8) * 255)
    return Pairs(np.stack(whole), np.stack(composite), np.stack(mask))


class HarmonizerStage:
    """Train on some pairs, judge on those of other people."""

    name = "harmonizer"

    def __init__(self, config: HarmonizerConfig, train: Pairs, held_out: Pairs) -> None:
        self.config, self.schedule = config, config.schedule
        self._train, self._held_out = train, held_out
        torch.manual_seed(config.schedule.seed)
        self.network = Harmonizer().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.heavy: tuple[nn.Module, ...] = (self.network,)

    def batch(self, draw: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        return _tensors(self._train, draw.integers(len(self._train), size=self.schedule.batch), mirrored=bool(draw.random() < 0.5))

    def loss(self, batch: tuple[Tensor, Tensor, Tensor], noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        whole, composite, mask = batch
        found = self.network(composite, mask)
        absolute = (found - whole).abs().sum() / (3 * near_border(mask).sum() + 1)
        gradient = self.config.gradient * measures.gradients_apart(whole, found)
        return absolute + gradient, {"absolute": absolute.item(), "gradients": gradient.item()}

    def judge(self) -> tuple[dict[str, float], Image]:
        chosen = np.arange(min(self.config.judged, len(self._held_out)))
        found: list[Image] = []
        before: list[Tensor] = []
        after: list[Tensor] = []
        for start in range(0, len(chosen), 8):
            whole, composite, mask = _tensors(self._held_out, chosen[start : start + 8])
            fused = self.network(composite, mask)
            found.append(to_images(fused))
            band = (near_border(mask) > 0).expand_as(whole)
            for picture, numbers in ((composite, before), (fused, after)):
                error = (((whole - picture.clamp(-1, 1)) / 2).square() * band).sum((1, 2, 3)) / band.sum((1, 2, 3))
                numbers.append(-10 * torch.log10(error.clamp_min(1e-10)))
        shown = slice(0, self.config.shown)
        rows = [self._held_out.composite[shown], np.concatenate(found)[shown], self._held_out.whole[shown]]
        numbers_ = {"psnr_before": float(torch.cat(before).mean()), "psnr_after": float(torch.cat(after).mean())}
        return {name: round(value, 3) for name, value in numbers_.items()}, sheet([list(row) for row in rows])


def _tensors(pairs: Pairs, chosen: npt.NDArray[np.int64], *, mirrored: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Whole and composite [B, 3, H, W] in -1..1, mask [B, 1, H, W] 0 or 1."""
    step = -1 if mirrored else 1
    whole, composite, mask = (part[chosen][:, :, ::step] for part in (pairs.whole, pairs.composite, pairs.mask))
    return to_tensor(list(whole)), to_tensor(list(composite)), torch.from_numpy(np.ascontiguousarray(mask)).float()[:, None] / 255

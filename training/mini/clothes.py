"""Stage `clothes`: what on a head's texture is worn on the body, so that hair as far as it falls and the neck can go with the head."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.clothes import Clothes
from export.on_texture import SEEN
from export.somebody import not_grey
from export.texture import SIDE
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus, Indices
from training.mini.even import textures
from training.mini.expression import heads
from training.mini.loop import Image, Schedule
from training.mini.overlay import paler
from training.mini.pictures import sheet
from training.mini.worn import Worn

AT_ONCE = 64  # textures that are judged
GREY = 0.5  # of nobody, in 0..1


@dataclass(frozen=True, kw_only=True)
class ClothesConfig:
    """Rows are pictures."""

    schedule: Schedule = Schedule(steps=600, batch=32, learning_rate=2e-3, warmup=30, decay=0.6, average=0.99, weight_decay=0.1)
    dressed: float = 4.0  # times as much as elsewhere errors count where clothes are, which are little of a texture
    shown: int = 8


class ClothesStage:
    """Train on one corpus, judge on another of other people."""

    name = "clothes"

    def __init__(self, config: ClothesConfig, train: tuple[Corpus, Worn], held_out: tuple[Corpus, Worn]) -> None:
        torch.manual_seed(config.schedule.seed)
        self.config, self.schedule = config, config.schedule
        self.train, self.held_out = train, held_out
        self._clothes = Clothes()
        self.network: nn.Module = self._clothes
        self.heavy: tuple[nn.Module, ...] = ()

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.choice(np.flatnonzero(self.train[0].found), self.schedule.batch))

    def arrays(self, people: tuple[Corpus, Worn], chosen: Indices) -> Arrays:
        """Of the `chosen` pictures `texture` [n, 3, 192, 192] and `clothes` [n, 1, 96, 96], both in 0..1."""
        corpus, worn = people
        return {"texture": textures(corpus, chosen), "clothes": torch.from_numpy(worn.clothes[chosen]).float()[:, None] / 255}

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Where nobody is, nothing counts."""
        mirrored = torch.rand(len(batch["texture"]), 1, 1, 1, generator=noise) < 0.5
        texture, clothes = (torch.where(mirrored, batch[name].flip(3), batch[name]) for name in ("texture", "clothes"))
        own = not_grey(texture * 2 - 1)
        given = texture + own * (paler(texture, noise) - texture)  # the grey of nobody stays what it is
        wrong = F.binary_cross_entropy_with_logits(_smaller(self._clothes(given)), clothes, reduction="none")
        counts = _smaller(own) * (1 + (self.config.dressed - 1) * clothes)
        loss = (wrong * counts).sum() / counts.sum().clamp_min(1)
        return loss, {"wrong": loss.item()}

    @torch.no_grad()
    def judge(self) -> tuple[dict[str, float], Image]:
        """On people never trained on: which share of their clothes is taken for theirs, and which share of what is theirs, seen round the face and
        below it, for clothes. Some of their heads without their clothes."""
        corpus, _ = self.held_out
        kept = lost = clothed = bare = 0.0
        seen = np.flatnonzero(corpus.found)
        for part in np.array_split(seen, max(1, len(seen) // AT_ONCE)):
            batch = self.arrays(self.held_out, part)
            own = _smaller(not_grey(batch["texture"] * 2 - 1))
            found, true = (_smaller(self._clothes(batch["texture"])) > 0).float(), (batch["clothes"] > 0.5).float()
            kept, lost = kept + float((own * true * (1 - found)).sum()), lost + float((own * (1 - true) * found).sum())
            clothed, bare = clothed + float((own * true).sum()), bare + float((own * (1 - true)).sum())
        numbers = {"kept": kept / max(clothed, 1), "lost": lost / max(bare, 1)}
        return {name: round(value, 4) for name, value in numbers.items()}, self._sheet()

    def _sheet(self) -> Image:
        corpus, _ = self.held_out
        seen = np.flatnonzero(corpus.found)
        chosen = seen[np.linspace(0, len(seen) - 1, self.config.shown).astype(int)]
        texture, shape = textures(corpus, chosen), torch.from_numpy(corpus.shape[chosen])
        without = texture + self._clothes(texture).sigmoid() * (GREY - texture)
        return sheet([list(heads(shape, one)) for one in (texture, without)])


def _smaller(map_: Tensor) -> Tensor:
    """[n, 1, 96, 96] of [n, 1, 192, 192]."""
    return F.avg_pool2d(map_, SIDE // SEEN)

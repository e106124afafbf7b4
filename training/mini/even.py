"""Stage `even`: a head's texture without its photo's own light, and the person stays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.even import EvenLight, changed, in_face
from export.on_texture import DARK
from export.somebody import somebody
from export.texture import SIDE
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus, Indices, other_shot
from training.mini.expression import heads
from training.mini.likeness import own_vectors
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet
from training.mini.precision import fast

BESIDE = 0.35  # weight of cells beside the face, where hats come and go
CELLS = (48, 12)  # per side, in which light is compared
MOSTLY = 0.7  # of a cell, from which on it counts as somebody's
SOFT = 0.1  # of a difference of logarithms, below which it counts as its square
AT_ONCE = 64  # textures that are judged
Unlike = Callable[[Tensor, Tensor], Tensor]
"""[n]: how unlike textures [n, 3, 192, 192] are to the people of vectors [n, 128]; `TextureLikeness`."""


@dataclass(frozen=True, kw_only=True)
class EvenConfig:
    """Rows are pairs of shots of one person; of the first `likened` of a batch SFace is asked, which takes most of the time."""

    schedule: Schedule = Schedule(steps=700, batch=48, learning_rate=1e-3, warmup=50, decay=0.5, average=0.99, weight_decay=0.1)
    likeness: float = 0.5  # weight of what the evened face lost of the person
    likened: int = 12
    shown: int = 8


class EvenStage:
    """Train on one corpus, judge on another of other people. A head is to be lit as in other shots, that is as in their mean, and as like the person
    as can be."""

    name = "even"

    def __init__(self, config: EvenConfig, train: Corpus, held_out: Corpus, unlike: Unlike) -> None:
        torch.manual_seed(config.schedule.seed)
        self.config, self.schedule = config, config.schedule
        self.train, self.held_out = train, held_out
        self._head = EvenLight()
        self._head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: nn.Module = self._head
        self.heavy: tuple[nn.Module, ...] = ()
        self._unlike = unlike
        self._own = {id(corpus): own_vectors(corpus) for corpus in (train, held_out)}

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.choice(np.flatnonzero(self.train.found), self.schedule.batch), draw)

    def arrays(self, corpus: Corpus, chosen: Indices, draw: np.random.Generator) -> Arrays:
        """`texture` of the `chosen` pictures, those `wanted` in other shots of the same people, and who they are (`own`)."""
        others = np.array([other_shot(corpus, int(k), draw) for k in chosen])
        places = torch.from_numpy(chosen)
        return {"texture": textures(corpus, chosen), "wanted": textures(corpus, others), "own": self._own[id(corpus)][places], "chosen": places}

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        with fast():
            changes = self._head(batch["texture"])
        even, likened = changed(batch["texture"], changes.float()), self.config.likened
        apart = torch.stack([distance(batch["texture"], even, batch["wanted"], cells) for cells in CELLS]).mean()
        unlike = self._unlike(even[:likened], batch["own"][:likened]).mean()
        return apart + self.config.likeness * unlike, {"apart": apart.item(), "unlike": unlike.item()}

    def judge(self) -> tuple[dict[str, float], Image]:
        """On people never trained on: what is left of the light's distance, how unlike the person heads are and were; some of their heads."""
        people, draw = self.held_out, np.random.default_rng(3)
        seen = np.flatnonzero(people.found)
        sums: dict[str, float] = {}
        for part in np.array_split(seen, max(1, len(seen) // AT_ONCE)):
            for name, value in self._judged(self.arrays(people, part, draw)).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(part) / len(seen)
        numbers = {"left": sums["apart"] / sums["apart_before"]} | {name: value for name, value in sums.items() if "unlike" in name}
        return {name: round(value, 4) for name, value in numbers.items()}, self._sheet()

    def _judged(self, batch: Arrays) -> dict[str, Tensor]:
        texture, wanted = batch["texture"], batch["wanted"]
        found: dict[str, Tensor] = {}
        for when, one in (("", changed(texture, self._head.both_ways(texture))), ("_before", texture)):
            found[f"apart{when}"] = distance(texture, one, wanted, CELLS[-1])
            found[f"unlike{when}"] = self._unlike(one, batch["own"]).mean()
        return found

    def _sheet(self) -> Image:
        """Heads as they were, evened, and as they are in another shot."""
        people = self.held_out
        seen = np.flatnonzero(people.found)
        chosen = seen[np.linspace(0, len(seen) - 1, self.config.shown).astype(int)]
        batch = self.arrays(people, chosen, np.random.default_rng(1))
        shape = torch.from_numpy(people.shape[chosen])
        rows = (batch["texture"], changed(batch["texture"], self._head.both_ways(batch["texture"])), batch["wanted"])
        return sheet([list(heads(shape, texture)) for texture in rows])


def textures(corpus: Corpus, chosen: Indices) -> Tensor:
    """[n, 3, 192, 192] in 0..1."""
    return torch.from_numpy(corpus.texture[chosen]).float() / 255


def distance(before: Tensor, texture: Tensor, wanted: Tensor, cells: int) -> Tensor:
    """How far the light of a texture, which was `before`, lies from the wanted one, all [B, 3, 192, 192]: of the logarithm of the mean colour of
    every one of cells x cells that is somebody's in both, those of the face counting most. Its square where that is small."""
    (one, own), (other, theirs) = colours(texture, somebody(before * 2 - 1), cells), colours(wanted, somebody(wanted * 2 - 1), cells)
    weight = own * theirs * face_cells(cells)
    apart = ((one - other).square() + SOFT**2).sqrt() - SOFT
    return (weight * apart).sum() / (one.shape[1] * weight.sum()).clamp_min(1)


def colours(texture: Tensor, whose: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Of textures [B, 3, 192, 192] and who is in them [B, 1, 192, 192]: the logarithm of the mean colour of somebody in every cell
    [B, 3, cells, cells], and 1 where a cell is mostly somebody's, else 0 [B, 1, cells, cells]."""
    share = F.avg_pool2d(whose, SIDE // cells)
    colour = F.avg_pool2d(texture * whose, SIDE // cells) / share.clamp_min(1e-3)
    return (colour + DARK).log(), (share > MOSTLY).to(texture.dtype)


def face_cells(cells: int) -> Tensor:
    """[cells, cells] weights of a texture's cells: 1 in the face, about an ellipse, less beside it."""
    return torch.where(in_face(cells) >= 1, 1.0, BESIDE)

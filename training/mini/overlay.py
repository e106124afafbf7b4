"""Stage `overlay`: which of the things that lie over a head words ask for, in which colour, and what a head has on already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.overlay import COLOURED, LAYERS, FaceOverlay
from training.mini import templates
from training.mini.contexts import Arrays
from training.mini.corpus import Corpus, Indices
from training.mini.expression import heads
from training.mini.loop import Image, Schedule
from training.mini.phrases import Phrase
from training.mini.pictures import sheet
from training.mini.words import CAPTIONS, padded
from training.mini.worn import COLOURS, Worn

JUDGED = 1200  # captions, at most
PALEST, DARKEST = 0.5, 0.3  # how much of their colours, and of their brightness, heads may have lost
States = npt.NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class OverlayConfig:
    """Rows are captions, pictures of their own, and phrases."""

    schedule: Schedule = Schedule(steps=1000, batch=96, learning_rate=1e-3, warmup=50, decay=0.8, average=0.99, weight_decay=0.1)
    speaking: float = 0.5  # of the captions speak of something
    phrased: float = 0.25  # of a batch are phrases
    colour: float = 3.0  # weight of colours
    shown: int = 8


class OverlayStage:
    """Train on one corpus, judge on another of other people."""

    name = "overlay"

    def __init__(
        self,
        config: OverlayConfig,
        train: tuple[Corpus, Worn],
        held_out: tuple[Corpus, Worn],
        phrased: Sequence[tuple[Phrase, States]],
    ) -> None:
        """`phrased`: phrases with the states [tokens, D] of their words."""
        torch.manual_seed(config.schedule.seed)
        self.config, self.schedule = config, config.schedule
        self.train, self.held_out, self._phrased = train, held_out, phrased
        self._head = FaceOverlay(train[0].states[0].shape[1])
        templates.measure(self._head, *train)
        self.network: nn.Module = self._head
        self.heavy: tuple[nn.Module, ...] = ()
        self._colours = templates.colours(*train)

    def batch(self, draw: np.random.Generator) -> Arrays:
        corpus, worn = self.train
        usable = np.argwhere(worn.told.any(2) & corpus.found[:, None])
        phrases = round(self.config.phrased * self.schedule.batch) if self._phrased else 0
        count = self.schedule.batch - phrases
        told = round(self.config.speaking * count) if len(usable) else 0
        rows = [usable[draw.integers(len(usable), size=told)]] if told else []
        any_ = draw.choice(np.flatnonzero(corpus.found), count - told)
        rows.append(np.stack([any_, draw.integers(CAPTIONS, size=len(any_))], 1))
        return self.arrays(
            self.train, np.concatenate(rows), [self._phrased[k] for k in draw.integers(len(self._phrased), size=phrases)] if phrases else []
        )

    def arrays(self, people: tuple[Corpus, Worn], rows: Indices, phrased: Sequence[tuple[Phrase, States]] = ()) -> Arrays:
        """Of captions, rows [n, 2] of picture and number, and of phrases: `states` and `mask`, `kind` [n, layers] that they ask for, `colour`
        [n, 2, 3] and `coloured` [n, 2], 1 where it counts. Of the pictures `texture` [n, 3, 192, 192] and `has` [n, 2]: glasses, a hat."""
        corpus, worn = people
        numbers = [templates.number_of(layer) for layer in COLOURED]
        kind = np.where(worn.told[rows[:, 0], rows[:, 1]], worn.kind[rows[:, 0]], 0)
        named = np.where(kind[:, numbers] > 0, worn.colour[rows[:, 0]], -1)
        for phrase, _ in phrased:
            kind, named = np.concatenate([kind, kinds_of(phrase)[None]]), np.concatenate([named, colours_of(phrase)[None]])
        said = [corpus.words(*row) for row in rows.tolist()] + [states for _, states in phrased]
        states, mask = padded(said)
        wanted = torch.stack([self._colours[layer][named[:, n]] for n, layer in enumerate(COLOURED)], 1)
        return {
            "states": states,
            "mask": mask,
            "kind": torch.from_numpy(kind),
            "colour": wanted.nan_to_num(),
            "coloured": torch.from_numpy(named >= 0) & ~wanted.isnan().any(2),
            "texture": torch.from_numpy(corpus.texture[rows[:, 0]]).float() / 255,
            "has": torch.from_numpy(worn.kind[rows[:, 0]][:, numbers] > 0).float(),
        }

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        scores, colours = self._head.asked(batch["states"], batch["mask"])
        kind = torch.stack([F.cross_entropy(found, batch["kind"][:, k]) for k, found in enumerate(scores.values())]).sum()
        colour = colours_apart(colours, batch)
        worn = F.binary_cross_entropy_with_logits(self._head.has(varied(batch["texture"], noise)), batch["has"])
        return kind + self.config.colour * colour + worn, {"kind": kind.item(), "colour": colour.item(), "worn": worn.item()}

    @torch.no_grad()
    def judge(self) -> tuple[dict[str, float], Image]:
        """On people never trained on: in which share of captions each layer is heard rightly, of those that speak of it and of the others; how far
        colours lie apart; in which share of heads is seen what they wear. Some heads as their captions have them."""
        corpus, _ = self.held_out
        seen = np.flatnonzero(corpus.found)
        rows = np.stack([np.repeat(seen, CAPTIONS), np.tile(np.arange(CAPTIONS), len(seen))], 1)
        batch = self.arrays(self.held_out, rows[np.random.default_rng(3).permutation(len(rows))[:JUDGED]])
        scores, colours = self._head.asked(batch["states"], batch["mask"])
        numbers: dict[str, float] = {}
        for k, (layer, found) in enumerate(scores.items()):
            right, told = found.argmax(1) == batch["kind"][:, k], batch["kind"][:, k] > 0
            for name, of in (("heard", told), ("quiet", ~told)):
                numbers[f"{name}_{layer}"] = float(right[of].float().mean()) if of.any() else float("nan")
        numbers["colour"] = float(colours_apart(colours, batch))
        said = (self._head.has(batch["texture"]) > 0).float()
        numbers |= {f"seen_{layer}": float((said[:, n] == batch["has"][:, n]).float().mean()) for n, layer in enumerate(COLOURED)}
        return {name: round(value, 4) for name, value in numbers.items()}, self._sheet()

    def _sheet(self) -> Image:
        """Heads as they are, and with what other pictures' captions put over them."""
        corpus, worn = self.held_out
        plain = np.flatnonzero(corpus.found & (worn.kind == 0).all(1))
        told = np.argwhere(worn.told.any(2))
        if not len(plain) or not len(told):
            return np.zeros((1, 1, 3), np.uint8)
        chosen = plain[np.linspace(0, len(plain) - 1, self.config.shown).astype(int)]
        batch = self.arrays(self.held_out, told[np.linspace(0, len(told) - 1, self.config.shown).astype(int)])
        texture = torch.from_numpy(corpus.texture[chosen]).float() / 255
        shape = torch.from_numpy(corpus.shape[chosen])
        over = self._head(texture, batch["states"], batch["mask"], torch.ones(len(chosen)))
        return sheet([list(heads(shape, one)) for one in (texture, over, batch["texture"])])


def colours_apart(colours: dict[str, Tensor], batch: Arrays) -> Tensor:
    """Mean difference, in 0..1, of colours by layer [n, 3] from those that count in a batch."""
    apart = (torch.stack([colours[layer] for layer in COLOURED], 1) - batch["colour"]).abs().mean(2)
    return (apart * batch["coloured"]).sum() / batch["coloured"].sum().clamp_min(1)


def varied(texture: Tensor, noise: torch.Generator) -> Tensor:
    """Textures [n, 3, 192, 192] mirrored or not, paler and darker."""
    mirrored = torch.rand(len(texture), 1, 1, 1, generator=noise) < 0.5
    return paler(torch.where(mirrored, texture, texture.flip(3)), noise)


def paler(texture: Tensor, noise: torch.Generator) -> Tensor:
    """Textures [n, 3, 192, 192] paler and darker: as heads in any light."""
    pale, dark = torch.rand(2, len(texture), 1, 1, 1, generator=noise)
    return torch.lerp(texture, texture.mean(1, keepdim=True), PALEST * pale) * (1 - DARKEST * dark)  # type: ignore[no-any-return]


def kinds_of(phrase: Phrase) -> Indices:
    """[layers]: 0 for none, else which of the layer's, from 1."""
    _, asked, _ = phrase
    return np.array([1 + names.index(asked[layer]) if layer in asked else 0 for layer, names in LAYERS.items()], np.int64)


def colours_of(phrase: Phrase) -> Indices:
    """[2]: which of COLOURS, -1 for none."""
    _, asked, colour = phrase
    return np.array([COLOURS[layer].index(colour) if layer in asked and colour else -1 for layer in COLOURED], np.int64)

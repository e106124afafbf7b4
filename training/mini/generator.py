"""Stages `coarse` and `generator`: the UNet with the words and all faces' contexts at once, every condition dropped now and then."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from export.autoencoder import Autoencoder
from export.context import CROSS_TOKENS, TEXT_TOKENS
from export.families import UnetShape
from export.generator import Generator
from training.mini import noise as noising
from training.mini.corpus import Corpus, Indices, other_shot, spread
from training.mini.likeness import Likeness
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images
from training.mini.words import CAPTIONS
from training.people.graders import Graders

Arrays = dict[str, Tensor]
Residuals = Callable[[Tensor, Tensor, "Contexts"], tuple[Tensor, ...]]
SYSTEMS = ("words", "face0", "makeup", "cross")
"""What a row of a batch is conditioned on beside its words: nobody's face, or a face by one of the three contexts."""


class Contexts(NamedTuple):
    """Who and what of a batch, as tokens and as the UNet's keys and values."""

    text_tokens: Tensor  # [B, 77, D], face0's face among them
    face_tokens: Tensor  # [B, 16, D], zeros for nobody
    text_kv: Tensor  # [B, 77, S]
    id_kv: Tensor  # [B, 16, S]


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Who is in a batch, and how often something is left out. `shares` and `same_shot` are in the order of SYSTEMS."""

    schedule: Schedule = Schedule(steps=24_000, batch=16, learning_rate=8e-4, warmup=100, decay=0.3, average=0.999, minutes_between_checkpoints=8)
    shape: UnetShape = UnetShape()
    shares: tuple[float, ...] = (0.16, 0.22, 0.27, 0.35)  # of a batch
    same_shot: tuple[float, ...] = (0.0, 0.3, 0.3, 0.0)  # how often the face is the picture's own, not one of another shot
    coarse: bool = False  # pictures of half the side: four times cheaper, for the first hours
    no_words: float = 0.12
    face_weight: float = 4.0  # of the loss inside the face, above 1
    likeness: float = 0.3  # weight of how unlike the person the predicted clean picture is
    likeness_rows: int = 4  # of a batch, among those with a face
    likeness_before: int = 700  # steps: noisier ones do not show a face yet
    shown: int = 8  # people of the sheet
    shown_steps: int = 12
    guidance: float = 2.5
    judged: int = 192  # pictures of the loss on people never trained on
    trained: tuple[str, ...] = ()  # the parts that learn; none named: all


COARSE = GeneratorConfig(
    schedule=Schedule(steps=10_000, batch=16, learning_rate=8e-4, warmup=100, decay=0.0, average=0.999, minutes_between_checkpoints=8),
    shares=(0.16, 0.20, 0.64, 0.0),
    same_shot=(0.0, 0.7, 0.7, 0.0),
    no_words=0.4,
    coarse=True,
)
"""The first stage: composition and words are learned on pictures of half the side, more than twice as many in the same time. Faces are
mostly the picture's own: copying opens the way from a face to the picture, which other shots alone hardly do; the next stage takes it away
again. Without words the face has more to say, so they are often left out. One face context learns for two: the next stage begins
crossfaceid's as face-makeup's."""

SAME_SHOT = GeneratorConfig(
    schedule=Schedule(steps=1500, batch=32, learning_rate=4e-4, warmup=100, decay=0.5, average=0.995, minutes_between_checkpoints=8),
    shares=(0.0, 0.0, 0.0, 1.0),
    same_shot=(0.0, 0.0, 0.0, 1.0),
    trained=("cross", "cross_kv"),
)
"""For the evaluation only: crossfaceid's context, trained on with the face of the very picture."""


class GeneratorStage:
    """Train on one corpus, judge on another of other people."""

    def __init__(
        self, name: str, config: GeneratorConfig, train: Corpus, held_out: Corpus, empty: npt.NDArray[np.float16], autoencoder: Autoencoder
    ) -> None:
        """`empty` [tokens, 384]: the states of no words at all."""
        self.name, self.config, self.schedule = name, config, config.schedule
        self.train, self.held_out, self._empty, self._autoencoder = train, held_out, empty, autoencoder
        torch.manual_seed(config.schedule.seed)
        self.network = Generator(config.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part, module in self.network.named_children():
            module.requires_grad_(not config.trained or part in config.trained)
        self._alphas = noising.scheduler().alphas_cumprod
        self.graders = Graders()
        self._likeness = Likeness(autoencoder)
        _measure_identities(self.network, train)
        ends = np.round(np.cumsum(config.shares) / sum(config.shares) * self.schedule.batch).astype(int)
        self._parts = {name: slice(a, b) for name, a, b in zip(SYSTEMS, [0, *ends[:-1]], ends, strict=True)}

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.integers(len(self.train), size=self.schedule.batch), draw)

    def arrays(self, corpus: Corpus, chosen: Indices, draw: np.random.Generator) -> Arrays:
        """Latents, words and faces of the chosen pictures; what a row is conditioned on is decided by its place."""
        faces = chosen.copy()
        for name, chance in zip(SYSTEMS, self.config.same_shot, strict=True):
            for place in range(len(chosen))[self._parts[name]]:
                if draw.random() >= chance:
                    faces[place] = other_shot(corpus, int(chosen[place]), draw)
        captions = [None if draw.random() < self.config.no_words else int(draw.integers(CAPTIONS)) for _ in chosen]
        region = torch.from_numpy(corpus.region[chosen].astype(np.float32) / 255)
        return self.conditions(corpus, chosen, faces, captions) | {
            "latent": self.latents(corpus, chosen).contiguous(memory_format=torch.channels_last),
            "region": F.avg_pool2d(region, 2) if self.config.coarse else region,
            "points": torch.from_numpy(corpus.points[chosen]),
            "own": torch.from_numpy(corpus.identity[chosen]),
        }

    def latents(self, corpus: Corpus, chosen: Indices) -> Tensor:
        """[n, C, 32, 32], or of half the side: the autoencoder was trained to read those, too."""
        latent = torch.from_numpy(corpus.latent[chosen].astype(np.float32))
        return F.avg_pool2d(latent, 2) if self.config.coarse else latent

    def conditions(self, corpus: Corpus, chosen: Indices, faces: Indices, captions: list[int | None]) -> Arrays:
        """The captions of the chosen pictures (None: no words) and the given faces."""
        states, mask = np.zeros((len(chosen), TEXT_TOKENS, self._empty.shape[1]), np.float32), np.zeros((len(chosen), TEXT_TOKENS), np.float32)
        for place, (picture, caption) in enumerate(zip(chosen, captions, strict=True)):
            words = self._empty if caption is None else corpus.words(int(picture), caption)
            states[place, : len(words)], mask[place, : len(words)] = words, 1
        found = {"states": states, "mask": mask, "identity": corpus.identity[faces], "face": corpus.face[faces]}
        return {name: torch.from_numpy(value) for name, value in found.items()}

    def contexts(self, arrays: Arrays, parts: dict[str, slice] | None = None) -> Contexts:
        """The networks' view of a batch; `parts`: which rows are of which system, in the order of SYSTEMS."""
        network, parts = self.network, parts or self._parts
        states, mask, identity = arrays["states"], arrays["mask"], arrays["identity"]
        face0, makeup, cross = (parts[name] for name in SYSTEMS[1:])
        ones = torch.ones(len(states))
        text_tokens = network.text.tokens(states, mask)
        nobody = network.nobody(makeup.start)
        face_tokens, id_kv = [nobody.new_zeros(makeup.start, CROSS_TOKENS, text_tokens.shape[2])], [nobody]
        if _size(face0):
            with_face = network.face0_tokens(states[face0], mask[face0], identity[face0], self._appearance(arrays, face0))
            text_tokens = torch.cat([text_tokens[: face0.start], with_face, text_tokens[face0.stop :]])
        if _size(makeup):
            face_tokens.append(network.makeup(identity[makeup], self._appearance(arrays, makeup), ones[makeup]))
            id_kv.append(network.makeup_kv(face_tokens[-1], ones[makeup]))
        if _size(cross):
            face_tokens.append(network.cross(identity[cross], self._appearance(arrays, cross)))
            id_kv.append(network.cross_kv(face_tokens[-1], ones[cross]))
        return Contexts(text_tokens, torch.cat(face_tokens), network.text.project(text_tokens), torch.cat(id_kv))

    def _appearance(self, arrays: Arrays, part: slice) -> Tensor:
        pixels = arrays["face"][part].permute(0, 3, 1, 2).float()
        return self.network.appearance(pixels.contiguous(memory_format=torch.channels_last))  # type: ignore[no-any-return]

    def losses(self, arrays: Arrays, noise: torch.Generator, residuals: Residuals | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """([B] losses, [B] steps, [B, C, h, w] the clean latents as predicted), with what a ControlNet adds."""
        step = noising.draw_steps(len(arrays["latent"]), noise)
        noisy, wanted = noising.noised(arrays["latent"], step, self._alphas, noise)
        contexts = self.contexts(arrays)
        added = residuals(noisy, step, contexts) if residuals else ()
        found = self.network.unet(noisy, step, contexts.text_kv, contexts.id_kv, *added)
        weight = 1 + self.config.face_weight * arrays["region"][:, None]
        losses = ((found - wanted).square() * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3))
        return losses, step, noising.clean(noisy, found, step, self._alphas)

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        losses, step, clean = self.losses(batch, noise)
        parts = {name: losses[part].mean().item() for name, part in self._parts.items() if _size(part)}
        total = losses.mean()
        rows = torch.nonzero(step[self._parts["face0"].start :] < self.config.likeness_before).flatten() + self._parts["face0"].start
        rows = rows[torch.randperm(len(rows), generator=noise)[: self.config.likeness_rows]]
        if self.config.likeness and len(rows):
            small = clean[rows] if self.config.coarse else F.avg_pool2d(clean[rows], 2)
            unlike = self._likeness.unlike(small, batch["points"][rows], batch["own"][rows]).mean()
            total, parts["unlike"] = total + self.config.likeness * unlike, unlike.item()
        return total, parts

    def judge(self) -> tuple[dict[str, float], Image]:
        numbers = self._held_out_loss()
        chosen = spread(self.held_out, self.config.shown)
        draw = np.random.default_rng(1)
        faces = np.array([other_shot(self.held_out, int(k), draw) for k in chosen])
        rows = [self.decoded(self.latents(self.held_out, part)) for part in (faces, chosen)]
        references = self.held_out.identity[faces]
        numbers["likeness_truth"] = float((references * self.held_out.identity[chosen]).sum(1).mean())
        for system in SYSTEMS:
            images = self.portraits(system, chosen, faces, self.config.shown_steps)
            rows.append(images)
            found = [self._identity(image) for image in images]
            alike = [vector @ reference for vector, reference in zip(found, references, strict=True) if vector is not None]
            numbers[f"likeness_{system}"] = float(np.mean(alike)) if alike else 0.0
            numbers[f"faces_{system}"] = len(alike) / len(images)
        return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])

    def _held_out_loss(self) -> dict[str, float]:
        """Mean loss, and by thirds of the steps."""
        draw, noise = np.random.default_rng(3), torch.Generator().manual_seed(3)
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(self.config.judged // self.schedule.batch):
            chosen = draw.integers(len(self.held_out), size=self.schedule.batch)
            losses, steps, _ = self.losses(self.arrays(self.held_out, chosen, draw), noise)
            for loss, step in zip(losses.tolist(), steps.tolist(), strict=True):
                found["held_out"].append(loss)
                found[f"held_out_{step * 3 // noising.STEPS}"].append(loss)
        return {name: float(np.mean(values)) for name, values in sorted(found.items())}

    @torch.no_grad()
    def portraits(self, system: str, chosen: Indices, faces: Indices, steps: int, residuals: Residuals | None = None, seed: int = 5) -> Image:
        """[n, 256, 256, 3] by the first caption of the chosen held-out pictures, with the given faces, under guidance."""
        count = len(chosen)
        edges = {name: count * (SYSTEMS.index(name) > SYSTEMS.index(system)) for name in SYSTEMS}
        parts = {name: slice(edges[name], count if name == system else edges[name]) for name in SYSTEMS}
        nobody = {name: slice(0, count) if name == "words" else slice(count, count) for name in SYSTEMS}
        full = self.contexts(self.conditions(self.held_out, chosen, faces, [0] * count), parts)
        empty = self.contexts(self.conditions(self.held_out, chosen, faces, [None] * count), nobody)
        both = Contexts(*(torch.cat(pair) for pair in zip(full, empty, strict=True)))

        def predict(latent: Tensor, step: Tensor) -> Tensor:
            twice, steps = torch.cat([latent, latent]).contiguous(memory_format=torch.channels_last), torch.cat([step, step])
            added = residuals(twice, steps, both) if residuals else ()
            wanted, unwanted = self.network.unet(twice, steps, both.text_kv, both.id_kv, *added).chunk(2)
            return unwanted + self.config.guidance * (wanted - unwanted)  # type: ignore[no-any-return]

        start = torch.randn(self.latents(self.held_out, chosen).shape, generator=torch.Generator().manual_seed(seed))
        return self.decoded(noising.sample(predict, start, steps))

    @torch.no_grad()
    def decoded(self, latent: Tensor) -> Image:
        """[n, C, h, w] -> [n, 8h, 8w, 3]."""
        return to_images(self._autoencoder.decode(latent))

    def _identity(self, image: Image) -> npt.NDArray[np.float32] | None:
        face = self.graders.detect(image)
        return None if face is None else self.graders.sface(image, face[1])


def _size(part: slice) -> int:
    return int(part.stop - part.start)


def _measure_identities(network: Generator, corpus: Corpus) -> None:
    """Give the face contexts the mean and the deviation of identity vectors."""
    mean, deviation = corpus.identity.mean(0), corpus.identity.std(0)
    for context in (network.face0, network.makeup, network.cross):
        context.identity_mean.copy_(torch.from_numpy(mean))
        context.identity_std.copy_(torch.from_numpy(deviation))

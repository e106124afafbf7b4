"""Stages `coarse` and `generator`: the UNet with the words and all faces' contexts at once, every condition dropped now and then."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from export.autoencoder import Autoencoder
from export.context import TEXT_TOKENS
from export.generator import Generator
from training.mini import noise as noising
from training.mini.contexts import SYSTEMS, Arrays, Contexts, contexts, size
from training.mini.corpus import Corpus, Indices, other_shot, spread
from training.mini.generator_config import GeneratorConfig
from training.mini.likeness import Likeness
from training.mini.loop import Image
from training.mini.pictures import sheet, to_images
from training.mini.precision import fast
from training.mini.words import CAPTIONS
from training.people.graders import Graders

Residuals = Callable[[Tensor, Tensor, "Contexts"], tuple[Tensor, ...]]


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
        self._stranger = torch.zeros(self.schedule.batch, dtype=torch.bool)
        for part in list(self._parts.values())[1:]:
            self._stranger[part.stop - round(config.strangers * size(part)) : part.stop] = True

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
        shown = np.where(self._stranger.numpy(), draw.choice(np.flatnonzero(corpus.found), len(chosen)), chosen)
        region = torch.from_numpy(corpus.region[chosen].astype(np.float32) / 255)
        return self.conditions(corpus, chosen, faces, captions) | {
            "latent": self.latents(corpus, shown).contiguous(memory_format=torch.channels_last),
            "region": F.avg_pool2d(region, 2) if self.config.coarse else region,
            "points": torch.from_numpy(corpus.points[shown]),
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

    def losses(self, arrays: Arrays, noise: torch.Generator, residuals: Residuals | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """([B] losses, [B] steps, [B, C, h, w] the clean latents as predicted), with what a ControlNet adds."""
        step = noising.draw_steps(len(arrays["latent"]), noise)
        step = torch.where(self._stranger, torch.randint(*self.config.stranger_steps, step.shape, generator=noise), step)
        noisy, wanted = noising.noised(arrays["latent"], step, self._alphas, noise)
        with fast():
            context = contexts(self.network, arrays, self._parts)
            added = residuals(noisy, step, context) if residuals else ()
            found = self.network.unet(noisy, step, context.text_kv, context.id_kv, *added).float()
        weight = 1 + self.config.face_weight * arrays["region"][:, None]
        losses = ((found - wanted).square() * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3))
        return losses, step, noising.clean(noisy, found, step, self._alphas)

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        losses, _, clean = self.losses(batch, noise)
        own = ~self._stranger
        parts = {name: losses[part][own[part]].mean().item() for name, part in self._parts.items() if size(part)}
        total = losses[own].mean()
        unlike = self._unlike(batch, clean)
        if unlike:
            total = total + self.config.likeness * torch.cat(list(unlike.values())).mean()
        return total, parts | {name: values.mean().item() for name, values in unlike.items()}

    def _unlike(self, batch: Arrays, clean: Tensor) -> dict[str, Tensor]:
        """By system, how unlike the wanted person the strangers' rows became, one value a row."""
        rows = torch.nonzero(self._stranger).flatten()
        if not len(rows):
            return {}
        small = clean[rows] if self.config.coarse else F.avg_pool2d(clean[rows], 2)
        with fast():
            unlike = self._likeness.unlike(small, batch["points"][rows], batch["own"][rows])
        by_system = {name: unlike[(rows >= part.start) & (rows < part.stop)] for name, part in self._parts.items()}
        return {f"unlike_{name}": values for name, values in by_system.items() if len(values)}

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
        """Mean loss, by thirds of the steps, and how unlike the person a stranger's picture stays."""
        draw, noise = np.random.default_rng(3), torch.Generator().manual_seed(3)
        found: dict[str, list[float]] = defaultdict(list)
        for _ in range(max(1, self.config.judged // self.schedule.batch)):
            chosen = draw.integers(len(self.held_out), size=self.schedule.batch)
            batch = self.arrays(self.held_out, chosen, draw)
            losses, steps, clean = self.losses(batch, noise)
            for loss, step, stranger in zip(losses.tolist(), steps.tolist(), self._stranger.tolist(), strict=True):
                if not stranger:
                    found["held_out"].append(loss)
                    found[f"held_out_{step * 3 // noising.STEPS}"].append(loss)
            for name, unlike in self._unlike(batch, clean).items():
                found[f"held_out_{name}"].append(unlike.mean().item())
        return {name: float(np.mean(values)) for name, values in sorted(found.items())}

    @torch.no_grad()
    def portraits(self, system: str, chosen: Indices, faces: Indices, steps: int, residuals: Residuals | None = None, seed: int = 5) -> Image:
        """[n, 256, 256, 3] by the first caption of the chosen held-out pictures, with the given faces, under guidance."""
        count = len(chosen)
        edges = {name: count * (SYSTEMS.index(name) > SYSTEMS.index(system)) for name in SYSTEMS}
        parts = {name: slice(edges[name], count if name == system else edges[name]) for name in SYSTEMS}
        nobody = {name: slice(0, count) if name == "words" else slice(count, count) for name in SYSTEMS}
        full = contexts(self.network, self.conditions(self.held_out, chosen, faces, [0] * count), parts)
        empty = contexts(self.network, self.conditions(self.held_out, chosen, faces, [None] * count), nobody)
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


def _measure_identities(network: Generator, corpus: Corpus) -> None:
    """Give the face contexts the mean and the deviation of identity vectors."""
    mean, deviation = corpus.identity.mean(0), corpus.identity.std(0)
    for context in (network.face0, network.makeup, network.cross):
        context.identity_mean.copy_(torch.from_numpy(mean))
        context.identity_std.copy_(torch.from_numpy(deviation))

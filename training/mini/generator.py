"""Stages `base` and `generator`: the UNet with the words, all faces' contexts and poses at once, every condition dropped now and then."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.autoencoder import Autoencoder
from export.generator import Generator
from training.mini import noise as noising
from training.mini.compiling import blocks
from training.mini.contexts import SYSTEMS, Arrays, contexts, size
from training.mini.corpus import Corpus, Indices, other_shot
from training.mini.generator_config import GeneratorConfig
from training.mini.judging import judge
from training.mini.known import counted, covered, known_rows
from training.mini.likeness import Likeness
from training.mini.loop import Image
from training.mini.precision import fast
from training.mini.steering import Conditions, Residuals, steered
from training.mini.words import CAPTIONS, padded
from training.people.graders import Graders


class GeneratorStage:
    """Train on one corpus, judge on another of other people."""

    def __init__(
        self, name: str, config: GeneratorConfig, train: Corpus, held_out: Corpus, empty: npt.NDArray[np.float16], autoencoder: Autoencoder
    ) -> None:
        """`empty` [tokens, 384]: the states of no words at all."""
        self.name, self.config, self.schedule = name, config, config.schedule
        self.train, self.held_out, self._empty, self.autoencoder = train, held_out, empty, autoencoder
        torch.manual_seed(config.schedule.seed)
        self.network = Generator(config.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part, module in self.network.named_children():
            module.requires_grad_(not config.trained or part in config.trained)
        self._alphas = noising.scheduler().alphas_cumprod
        self.graders = Graders()
        self._likeness = Likeness(autoencoder)
        _measure_identities(self.network, train)
        ends = np.round(np.cumsum(config.shares) / sum(config.shares) * self.schedule.batch).astype(int)
        self.parts = {name: slice(a, b) for name, a, b in zip(SYSTEMS, [0, *ends[:-1]], ends, strict=True)}
        self.heavy: tuple[nn.Module, ...] = (*blocks(self.network.unet), self.network.pose.controlnet)
        self.conditions = Conditions(autoencoder)
        self._posed = round(self.schedule.batch * config.posed)  # rows, drawn anew for every batch: each system is to know both

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self.arrays(self.train, draw.integers(len(self.train), size=self.schedule.batch), draw)

    def arrays(self, corpus: Corpus, chosen: Indices, draw: np.random.Generator) -> Arrays:
        """Latents, words, faces and poses of the chosen pictures; what a row is conditioned on is decided by its place."""
        faces = chosen.copy()
        for name, chance in zip(SYSTEMS, self.config.same_shot, strict=True):
            for place in range(len(chosen))[self.parts[name]]:
                if draw.random() >= chance:
                    faces[place] = other_shot(corpus, int(chosen[place]), draw)
        captions = [None if draw.random() < self.config.no_words else int(draw.integers(CAPTIONS)) for _ in chosen]
        posed = np.sort(draw.permutation(len(chosen))[: self._posed])
        known = draw.random(len(posed)) < self.config.known
        kept = known & (draw.random(len(posed)) < self.config.kept) & corpus.found[chosen[posed]]
        heads = np.where(kept, chosen[posed], faces[posed])
        shapes = np.where(kept | (draw.random(len(posed)) < self.config.moved), chosen[posed], heads)
        pose = self.conditions.pose(corpus, chosen[posed], heads, shapes, kept | (draw.random(len(posed)) < self.config.textured))
        rows = {"held": pose.reference, "covered": pose.cover * torch.from_numpy(known)[:, None, None, None], "kept": torch.from_numpy(kept)}
        return self.given(corpus, chosen, faces, captions) | {
            "latent": latents(corpus, chosen),
            **{
                name: values.new_zeros(len(chosen), *values.shape[1:]).index_copy(0, torch.from_numpy(posed), values) for name, values in rows.items()
            },
            "region": torch.from_numpy(corpus.region[chosen].astype(np.float32) / 255),
            "points": torch.from_numpy(corpus.points[chosen]),
            "posed": torch.from_numpy(posed),
            "drawing": pose.drawing,
            "reference": pose.reference,
            "own": torch.from_numpy(corpus.identity[chosen]),
        }

    def given(self, corpus: Corpus, chosen: Indices, faces: Indices, captions: list[int | None]) -> Arrays:
        """The captions of the chosen pictures (None: no words) and the given faces."""
        said = [
            self._empty if caption is None else corpus.words(picture, caption) for picture, caption in zip(chosen.tolist(), captions, strict=True)
        ]
        states, mask = padded(said)
        found = {"identity": corpus.identity[faces], "face": corpus.face[faces], "head": corpus.head[faces]}
        return {"states": states, "mask": mask} | {name: torch.from_numpy(value) for name, value in found.items()}

    def nothing(self, count: int) -> Arrays:
        """So many rows without words, to be taken without a face."""
        someone = np.zeros(count, np.int64)
        return self.given(self.train, someone, someone, [None] * count)

    def noised(self, arrays: Arrays, noise: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """([B] steps, [B, C, h, w] noisy latents, v that means the clean ones): with the head of another shot in some rows."""
        step = noising.draw_steps(len(arrays["latent"]), noise)
        for rows, steps in ((known_rows(arrays), self.config.known_steps), (arrays["kept"], self.config.kept_steps)):
            step = torch.where(rows, torch.randint(*steps, step.shape, generator=noise), step)
        shown = torch.lerp(arrays["latent"], arrays["held"], covered(arrays, step))
        return step, *noising.noised(shown, arrays["latent"], step, self._alphas, noise)

    def steered(self, arrays: Arrays) -> Residuals:
        """What the ControlNet of poses adds to the rows that have one."""
        return steered(self.network.pose, arrays["drawing"], arrays["reference"], by_face=True, rows=arrays["posed"])

    def losses(self, arrays: Arrays, noise: torch.Generator, residuals: Residuals | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """([B] losses, [B] steps, [B, C, h, w] the clean latents as predicted), with what a ControlNet adds (None: that of poses)."""
        step, noisy, wanted = self.noised(arrays, noise)
        if residuals is None and self._posed:
            residuals = self.steered(arrays)
        with fast():
            context = contexts(self.network, arrays, self.parts)
            added = residuals(noisy, step, context) if residuals else ()
            found = self.network.unet(noisy, step, context.text_kv, context.id_kv, *added).float()
        evened = noising.evened(step, self._alphas)
        weight = (1 + self.config.face_weight * arrays["region"][:, None]) * counted(arrays, step, evened)
        losses = ((found - wanted).square() * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3)).clamp_min(1e-3)
        losses = torch.where(known_rows(arrays), losses * evened, losses)
        return losses, step, noising.clean(noisy, found, step, self._alphas)

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        losses, _, clean = self.losses(batch, noise)
        known, kept = known_rows(batch), batch["kept"]
        parts = {name: losses[part].mean().item() for name, part in self.parts.items() if size(part)}
        parts |= {name: losses[rows].mean().item() for name, rows in (("known", known), ("kept", kept), ("free", ~(known | kept))) if rows.any()}
        total = losses.mean()
        unlike = self.unlike(batch, clean) if self.config.likeness else {}
        if unlike:
            total = total + self.config.likeness * torch.cat(list(unlike.values())).mean()
        return total, parts | {name: values.mean().item() for name, values in unlike.items()}

    def unlike(self, batch: Arrays, clean: Tensor) -> dict[str, Tensor]:
        """By system, how unlike the person the rows became whose noisy picture has the head of another shot, one value a row."""
        rows = torch.nonzero(known_rows(batch)).flatten()
        if not len(rows):
            return {}
        with fast():
            unlike = self._likeness.unlike(F.avg_pool2d(clean[rows], 2), batch["points"][rows], batch["own"][rows])
        by_system = {name: unlike[(rows >= part.start) & (rows < part.stop)] for name, part in self.parts.items()}
        return {f"unlike_{name}": values for name, values in by_system.items() if len(values)}

    def judge(self) -> tuple[dict[str, float], Image]:
        return judge(self)


def latents(corpus: Corpus, chosen: Indices) -> Tensor:
    """[n, C, 32, 32]."""
    return torch.from_numpy(corpus.latent[chosen].astype(np.float32)).contiguous(memory_format=torch.channels_last)


def _measure_identities(network: Generator, corpus: Corpus) -> None:
    """Give the face contexts the mean and the deviation of identity vectors."""
    mean, deviation = corpus.identity.mean(0), corpus.identity.std(0)
    for context in (network.face0, network.makeup, network.cross):
        context.identity_mean.copy_(torch.from_numpy(mean))
        context.identity_std.copy_(torch.from_numpy(deviation))

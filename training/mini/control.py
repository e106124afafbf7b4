"""Stages `pose` and `shading`: a ControlNet each, beside the finished generator, which stays as it is."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.conditions import PosePicture, SoftPicture
from export.controlnet import Control
from training.mini.autoencoder import SIZE
from training.mini.contexts import Arrays, Contexts
from training.mini.corpus import Corpus, Indices, other_shot, spread
from training.mini.generator import GeneratorStage
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images


@dataclass(frozen=True, kw_only=True)
class ControlConfig:
    """A ControlNet's training; its batch is the generator's."""

    schedule: Schedule = Schedule(steps=2500, batch=32, learning_rate=4e-4, warmup=100, decay=0.5, average=0.995, minutes_between_checkpoints=8)
    shown: int = 8
    shown_steps: int = 12


class ControlStage:
    """`pose` sees keypoints and attends to the face; `shading` sees a soft picture and attends to the words."""

    def __init__(self, kind: str, config: ControlConfig, generator: GeneratorStage) -> None:
        self.name, self.config, self.schedule = kind, config, config.schedule
        self._generator = generator
        generator.network.requires_grad_(False)
        torch.manual_seed(config.schedule.seed)
        known = generator.network.cross_kv if kind == "pose" else generator.network.text
        self.network = Control(generator.config.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.begin_as(generator.network.unet, known.project.weight)
        self._draw_pose = PosePicture(SIZE)

    def _condition(self, corpus: Corpus, chosen: Indices) -> Tensor:
        """[B, 3, 256, 256] in 0..1."""
        if self.name == "pose":
            return self._draw_pose(torch.from_numpy(corpus.points[chosen] / SIZE))  # type: ignore[no-any-return]
        return SoftPicture.enlarged(torch.from_numpy(corpus.soft[chosen]).permute(0, 3, 1, 2).float() / 255, SIZE)

    def _residuals(self, condition: Tensor, latent: Tensor, step: Tensor, contexts: Contexts) -> tuple[Tensor, ...]:
        tokens = contexts.face_tokens if self.name == "pose" else contexts.text_tokens
        found: tuple[Tensor, ...] = self.network.controlnet(latent, step, condition, self.network.project(tokens), torch.ones(len(step)))
        return found

    def batch(self, draw: np.random.Generator) -> Arrays:
        corpus = self._generator.train
        chosen = draw.choice(np.flatnonzero(corpus.found), self._generator.schedule.batch)
        return self._generator.arrays(corpus, chosen, draw) | {"condition": self._condition(corpus, chosen)}

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        losses, _, _ = self._generator.losses(batch, noise, lambda *given: self._residuals(batch["condition"], *given))
        return losses.mean(), {}

    def judge(self) -> tuple[dict[str, float], Image]:
        """How far from the wanted places the points lie, over the distance of the eyes; and how near the soft pictures are."""
        generator, corpus = self._generator, self._generator.held_out
        chosen = spread(corpus, self.config.shown)
        draw = np.random.default_rng(1)
        faces = np.array([other_shot(corpus, int(k), draw) for k in chosen])
        condition = self._condition(corpus, chosen)
        twice = torch.cat([condition, condition])
        rows = [*(generator.decoded(generator.latents(corpus, part)) for part in (faces, chosen)), to_images(condition * 2 - 1)]
        numbers: dict[str, float] = {}
        for system in ("words", "makeup", "cross"):
            images = generator.portraits(system, chosen, faces, self.config.shown_steps, lambda *given: self._residuals(twice, *given))
            rows.append(images)
            numbers[f"points_{system}"] = self._points_apart(images, chosen)
            soft = torch.from_numpy(images).permute(0, 3, 1, 2).float()
            numbers[f"soft_{system}"] = float((SoftPicture()(soft) - SoftPicture()(condition * 255)).abs().mean() / 255)
        return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])

    def _points_apart(self, images: Image, chosen: Indices) -> float:
        wanted = self._generator.held_out.points[chosen]
        apart = []
        for image, points in zip(images, wanted, strict=True):
            face = self._generator.graders.detect(image)
            if face is not None:
                apart.append(np.linalg.norm(face[1] - points, axis=1).mean() / np.linalg.norm(points[0] - points[1]))
        return float(np.median(apart)) if apart else float("nan")

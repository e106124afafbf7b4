"""Stage `shading`: a ControlNet of light, colour and soft shape beside the finished generator, which stays as it is."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from export.conditions import SoftPicture
from export.controlnet import Control
from training.mini.compiling import blocks
from training.mini.contexts import Arrays
from training.mini.corpus import spread
from training.mini.generator import GeneratorStage
from training.mini.judging import decoded, faces_for, portraits
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images
from training.mini.steering import steered


@dataclass(frozen=True, kw_only=True)
class ControlConfig:
    """A ControlNet's training; its batch is the generator's."""

    schedule: Schedule = Schedule(steps=2500, batch=16, learning_rate=4e-4, warmup=100, decay=0.5, average=0.995, minutes_between_checkpoints=8)
    shown: int = 8
    shown_steps: int = 12


class ShadingStage:
    """It sees a soft picture and attends to the words."""

    name = "shading"

    def __init__(self, config: ControlConfig, generator: GeneratorStage) -> None:
        self.config, self.schedule = config, config.schedule
        self._generator = generator
        generator.network.requires_grad_(False)
        torch.manual_seed(config.schedule.seed)
        self.network = Control(generator.config.shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.heavy: tuple[nn.Module, ...] = (*blocks(generator.network.unet), self.network.controlnet)
        self.network.begin_as(generator.network.unet, generator.network.text.project.weight)

    def batch(self, draw: np.random.Generator) -> Arrays:
        corpus = self._generator.train
        chosen = draw.integers(len(corpus), size=self._generator.schedule.batch)
        return self._generator.arrays(corpus, chosen, draw) | {"soft": self._generator.conditions.shading(corpus, chosen)}

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        losses, _, _ = self._generator.losses(batch, noise, steered(self.network, batch["soft"], by_face=False))
        return losses.mean(), {}

    def judge(self) -> tuple[dict[str, float], Image]:
        """How near the portraits' soft pictures are to the wanted ones."""
        stage, people = self._generator, self._generator.held_out
        chosen = spread(people, self.config.shown)
        faces, condition = faces_for(stage, chosen), stage.conditions.shading(people, chosen)
        residuals = steered(self.network, torch.cat([condition, condition]), by_face=False)
        rows = [*(decoded(stage, part) for part in (faces, chosen)), to_images(condition * 2 - 1)]
        numbers: dict[str, float] = {}
        for system in ("words", "makeup", "cross"):
            images = portraits(stage, system, chosen, faces, residuals, steps=self.config.shown_steps)
            rows.append(images)
            soft = torch.from_numpy(images).permute(0, 3, 1, 2).float()
            numbers[f"soft_{system}"] = float((SoftPicture()(soft) - SoftPicture()(condition * 255)).abs().mean() / 255)
        return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])

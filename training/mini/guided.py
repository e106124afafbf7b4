"""Stage `guided`: keys and values that have the guidance in them, beside the finished generator, which stays as it is."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from export.guided import MOST_GUIDANCE, GuidedContext
from training.mini import noise as noising
from training.mini.compiling import blocks
from training.mini.contexts import SYSTEMS, Arrays, contexts
from training.mini.corpus import spread
from training.mini.generator import GeneratorStage
from training.mini.judging import Numbers, decoded, faces_for, portraits
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet
from training.mini.precision import fast


@dataclass(frozen=True, kw_only=True)
class GuidedConfig:
    """Its batch is the generator's."""

    schedule: Schedule = Schedule(steps=380, batch=12, learning_rate=1e-3, warmup=30, decay=0.7, average=0.99, minutes_between_checkpoints=8)
    shown: int = 8
    shown_steps: int = 8


class GuidedStage:
    """What two predictions make is what one is to give: in rows with a pose both predictions see it, as in the recipes."""

    name = "guided"

    def __init__(self, config: GuidedConfig, generator: GeneratorStage) -> None:
        self.config, self.schedule = config, config.schedule
        self._generator = generator
        generator.network.requires_grad_(False)
        torch.manual_seed(config.schedule.seed)
        self.network: nn.Module = GuidedContext(generator.network.kv_width)
        self.heavy: tuple[nn.Module, ...] = (*blocks(generator.network.unet), generator.network.pose.controlnet)

    def batch(self, draw: np.random.Generator) -> Arrays:
        return self._generator.batch(draw)

    def loss(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        found, before, _ = self.errors(batch, noise)
        return found.mean(), {"left": (found.sum() / before.sum()).item()}

    def errors(self, batch: Arrays, noise: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """[B] mean square distances from the guided prediction, of the one that is learned and of the plain one; and the steps [B]."""
        generator, network = self._generator, self._generator.network
        step, noisy, _ = generator.noised(batch, noise)
        guidance = 1 + (MOST_GUIDANCE - 1) * torch.rand(len(step), generator=noise)
        count = len(step)
        with torch.no_grad(), fast():
            context = contexts(network, batch, generator.parts)
            nothing = contexts(network, generator.nothing(count), {name: slice(0 if name == "words" else count, count) for name in SYSTEMS})
            residuals = generator.steered(batch)
            wanted, unwanted = (network.unet(noisy, step, one.text_kv, one.id_kv, *residuals(noisy, step, one)).float() for one in (context, nothing))
            guided = unwanted + guidance[:, None, None, None] * (wanted - unwanted)
            added = residuals(noisy, step, context)
        with fast():
            text_kv, id_kv = self.network(context.text_kv.float(), context.id_kv.float(), guidance)
            found = network.unet(noisy, step, text_kv, id_kv, *added).float()
        return (found - guided).square().mean((1, 2, 3)), (wanted - guided).square().mean((1, 2, 3)), step

    def judge(self) -> tuple[Numbers, Image]:
        """What is left of the distance on people never trained on, by thirds of the steps; rows of the face, two predictions a step, and one."""
        stage = self._generator
        numbers = self.left_on_others()
        chosen = spread(stage.held_out, self.config.shown)
        faces = faces_for(stage, chosen)
        pose, steps = stage.conditions.pose(stage.held_out, chosen, faces, chosen), self.config.shown_steps
        rows = [decoded(stage, faces)]
        for system in SYSTEMS:
            rows += [portraits(stage, system, chosen, faces, pose=pose, steps=steps, folded=folded) for folded in (None, self.network)]
        return numbers, sheet([list(row) for row in rows])

    def left_on_others(self) -> Numbers:
        stage, draw, noise = self._generator, np.random.default_rng(3), torch.Generator().manual_seed(3)
        sums: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(max(1, stage.config.judged // stage.schedule.batch)):
            batch = stage.arrays(stage.held_out, draw.integers(len(stage.held_out), size=stage.schedule.batch), draw)
            for found, before, step in zip(*(values.tolist() for values in self.errors(batch, noise)), strict=True):
                for kind in ("", f"_{int(step) * 3 // noising.STEPS}"):
                    sums[f"left{kind}"].append((found, before))
        return {name: round(float(np.divide(*np.sum(pairs, 0))), 4) for name, pairs in sorted(sums.items())}

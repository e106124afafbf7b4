"""How good a generator is on people it was never trained on: losses, and portraits to look at and to measure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.mini import noise as noising
from training.mini.contexts import SYSTEMS, Contexts, contexts
from training.mini.corpus import Indices, other_shot, spread
from training.mini.known import known_rows
from training.mini.loop import Image
from training.mini.pictures import sheet, to_images
from training.mini.steering import Pose, Residuals, steered

if TYPE_CHECKING:
    from training.mini.generator import GeneratorStage

Numbers = dict[str, float]
Faces = list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None]
"""Identity vector [128] and keypoints [5, 2] in pixels of each picture, None where no face was found."""


def judge(stage: GeneratorStage) -> tuple[Numbers, Image]:
    """Losses, and one row of portraits for every system that is trained: as its words leave it free, and with the head as it lies in the picture."""
    numbers = held_out_losses(stage)
    people = stage.held_out
    chosen = spread(people, stage.config.shown)
    faces = faces_for(stage, chosen)
    rows = [decoded(stage, part) for part in (faces, chosen)]
    references = people.identity[faces]
    numbers["likeness_truth"] = float((references * people.identity[chosen]).sum(1).mean())
    pose = stage.conditions.pose(people, chosen, faces, chosen)  # the expression of the words, as it is served
    ways: list[tuple[str, Pose | None]] = [("", None), *([("_posed", pose)] if stage.config.posed else [])]
    for way, given in ways:
        for system, share in zip(SYSTEMS, stage.config.shares, strict=True):
            if not share:
                continue
            images = portraits(stage, system, chosen, faces, pose=given)
            rows.append(images)
            found = seen(stage, images)
            alike = [face[0] @ reference for face, reference in zip(found, references, strict=True) if face is not None]
            numbers[f"likeness_{system}{way}"] = float(np.mean(alike)) if alike else 0.0
            numbers[f"faces_{system}{way}"] = len(alike) / len(images)
            if given:
                numbers[f"points_{system}{way}"] = points_apart(found, people.points[chosen])
    return {name: round(value, 4) for name, value in numbers.items()}, sheet([list(row) for row in rows])


def faces_for(stage: GeneratorStage, chosen: Indices) -> Indices:
    """Another shot of every chosen held-out picture's person, always the same."""
    draw = np.random.default_rng(1)
    return np.array([other_shot(stage.held_out, int(k), draw) for k in chosen])


def held_out_losses(stage: GeneratorStage) -> Numbers:
    """Mean loss, by thirds of the steps, of rows that begin with a head, another shot's or the picture's own, and how unlike the person the former
    stay."""
    draw, noise = np.random.default_rng(3), torch.Generator().manual_seed(3)
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(max(1, stage.config.judged // stage.schedule.batch)):
        batch = stage.arrays(stage.held_out, draw.integers(len(stage.held_out), size=stage.schedule.batch), draw)
        losses, steps, clean = stage.losses(batch, noise)
        rows = zip(losses.tolist(), steps.tolist(), known_rows(batch).tolist(), batch["kept"].tolist(), strict=True)
        for loss, step, known, kept in rows:
            for kind in ("", "_known" if known else "_kept" if kept else f"_{step * 3 // noising.STEPS}"):
                found[f"held_out{kind}"].append(loss)
        for name, unlike in stage.unlike(batch, clean).items():
            found[f"held_out_{name}"].append(unlike.mean().item())
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}


@torch.no_grad()
def portraits(
    stage: GeneratorStage,
    system: str,
    chosen: Indices,
    faces: Indices,
    residuals: Residuals | None = None,
    *,
    pose: Pose | None = None,
    steps: int = 0,
    seed: int = 5,
    folded: nn.Module | None = None,
) -> Image:
    """[n, 256, 256, 3] by the first caption of the chosen held-out pictures, with the given faces, under guidance; a ControlNet sees both branches
    of it, 2 n rows: the one of `residuals`, or that of poses. `steps`: 0 for as many as the stage's sheet has. `folded`: what makes one branch of
    the two."""
    count, config, unet = len(chosen), stage.config, stage.network.unet
    edges = {name: count * (SYSTEMS.index(name) > SYSTEMS.index(system)) for name in SYSTEMS}
    parts = {name: slice(edges[name], count if name == system else edges[name]) for name in SYSTEMS}
    nobody = {name: slice(0, count) if name == "words" else slice(count, count) for name in SYSTEMS}
    full = contexts(stage.network, stage.given(stage.held_out, chosen, faces, [0] * count), parts)
    empty = contexts(stage.network, stage.given(stage.held_out, chosen, faces, [None] * count), nobody)
    branches = 2 if folded is None else 1
    if folded is None:
        rows = Contexts(*(torch.cat(pair) for pair in zip(full, empty, strict=True)))
    else:
        text_kv, id_kv = folded(full.text_kv, full.id_kv, torch.full((count,), config.guidance))
        rows = full._replace(text_kv=text_kv, id_kv=id_kv)
    if pose is not None:
        drawing, reference = (part.repeat(branches, 1, 1, 1) for part in (pose.drawing, pose.reference))
        residuals = steered(stage.network.pose, drawing, reference, by_face=True)

    def predict(latent: Tensor, step: Tensor) -> Tensor:
        latent, step = latent.repeat(branches, 1, 1, 1).contiguous(memory_format=torch.channels_last), step.repeat(branches)
        added = residuals(latent, step, rows) if residuals else ()
        wanted, *unwanted = unet(latent, step, rows.text_kv, rows.id_kv, *added).chunk(branches)
        return unwanted[0] + config.guidance * (wanted - unwanted[0]) if unwanted else wanted  # type: ignore[no-any-return]

    start = torch.randn((count, *stage.held_out.latent.shape[1:]), generator=torch.Generator().manual_seed(seed))
    known = None if pose is None else noising.Known(pose.reference, pose.cover, config.known_until)
    return to_images(stage.autoencoder.decode(noising.sample(predict, start, steps or config.shown_steps, known)))


@torch.no_grad()
def decoded(stage: GeneratorStage, chosen: Indices) -> Image:
    """[n, 256, 256, 3]: the chosen held-out pictures through the autoencoder."""
    return to_images(stage.autoencoder.decode(torch.from_numpy(stage.held_out.latent[chosen].astype(np.float32))))


def seen(stage: GeneratorStage, images: Image) -> Faces:
    found = [(image, stage.graders.detect(image)) for image in images]
    return [None if face is None else (stage.graders.sface(image, face[1]), face[1]) for image, face in found]


def points_apart(found: Faces, wanted: npt.NDArray[np.float32]) -> float:
    """Median over pictures of the keypoints' mean distance to the wanted ones, over the wanted eyes' distance; nan where no face was found."""
    apart = [
        np.linalg.norm(face[1] - points, axis=1).mean() / np.linalg.norm(points[0] - points[1])
        for face, points in zip(found, wanted, strict=True)
        if face is not None
    ]
    return float(np.median(apart)) if apart else float("nan")

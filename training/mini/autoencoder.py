"""Stages `autoencoder`, pictures to latents of 32 x 32 x 8 and back, with eyes, mouth and hair sharp, and `decoder`, the way back alone, liker."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.autoencoder import Autoencoder
from export.families import AutoencoderShape
from export.identity_encoder import IdentityEncoder
from training.mini import measures
from training.mini.crops import Crops, drawn
from training.mini.likeness import aligned
from training.mini.loop import Image, Schedule
from training.mini.pictures import sheet, to_images, to_tensor
from training.people.graders import Graders
from training.people.loader import Dataset

SHOWN = 12  # pictures of the sheet


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Crops and the weights of the loss."""

    schedule: Schedule = Schedule(
        steps=3000, batch=8, learning_rate=1.2e-3, warmup=100, decay=0.8, average=0.998, weight_decay=1e-4, minutes_between_checkpoints=6
    )
    shape: AutoencoderShape = AutoencoderShape()
    decoder_alone: bool = False  # latents stay as they are, and all that was learned from them holds
    crop: int = 128  # pixels
    at_face: float = 0.6  # of the crops
    face_spread: float = 24.0  # pixels, deviation of a crop's middle from the face's
    latent_noise: float = 0.06  # added before decoding, so that near latents are near pictures
    halved: float = 0.25  # of the steps: latents of half the side must give the picture of half the side, which makes them easier to generate
    square: float = 4.0
    gradient: float = 0.5
    colour: float = 2.0
    feature: float = 0.25  # SFace's early layers, on every second step
    feature_crops: int = 2
    likeness: float = 0.0  # one minus the cosine to the picture by SFace, of crops with a whole face
    small: float = 2e-3  # latents near 0
    judged: int = 48


DECODER = AutoencoderConfig(
    schedule=Schedule(steps=480, batch=6, learning_rate=5e-4, warmup=30, decay=0.8, average=0.98, weight_decay=1e-4, minutes_between_checkpoints=6),
    decoder_alone=True,
    face_spread=10.0,
    latent_noise=0.03,
    halved=0.1,
    feature=0.0,
    likeness=1.0,
)


class AutoencoderStage:
    """Train on crops of `train`, judge on whole pictures of `held_out`."""

    def __init__(self, name: str, config: AutoencoderConfig, network: Autoencoder, train: Dataset, held_out: Dataset, identity: Path) -> None:
        self.name, self.config, self.schedule = name, config, config.schedule
        self.network: nn.Module = network.requires_grad_(True)
        self._autoencoder = network
        if config.decoder_alone:
            network.network.encoder.requires_grad_(False)
        self.heavy: tuple[nn.Module, ...] = ()
        self._identity = IdentityEncoder(identity)
        self._train = train
        rows = [held_out.rows[k * len(held_out) // config.judged] for k in range(config.judged)]
        self._judged = [held_out.image(row) for row in rows]
        self._graders = Graders()

    def batch(self, draw: np.random.Generator) -> Crops:
        config = self.config
        return drawn(self._train, self.schedule.batch, config.crop, config.at_face, config.face_spread, draw)

    def loss(self, batch: Crops, noise: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        config, pictures = self.config, batch.pictures
        with torch.set_grad_enabled(not config.decoder_alone):
            latent = self._autoencoder.encode(pictures)
        if torch.rand((), generator=noise) < config.halved:  # Kouzelis et al. 2025, 3.2
            latent, pictures = F.avg_pool2d(latent, 2), F.avg_pool2d(pictures, 2)
        found = self._autoencoder.decode(latent + config.latent_noise * torch.randn(latent.shape, generator=noise))
        parts = {
            "absolute": (pictures - found).abs().mean(),
            "square": config.square * (pictures - found).square().mean(),
            "gradient": config.gradient * measures.gradients_apart(pictures, found),
            "colour": config.colour * (measures.chroma(pictures) - measures.chroma(found)).abs().mean(),
            "small": config.small * latent.square().mean(),
        }
        if config.feature and torch.rand((), generator=noise) < 0.5:
            parts["feature"] = config.feature * self._features_apart(pictures[: config.feature_crops], found[: config.feature_crops])
        whole = batch.whole()
        if config.likeness and whole.any():
            parts["unlike"] = config.likeness * self._unlike(pictures[whole], found[whole], batch.points[whole])
        total = torch.stack(list(parts.values())).sum()
        return total, {name: value.item() for name, value in parts.items()}

    def _unlike(self, truth: Tensor, found: Tensor, points: Tensor) -> Tensor:
        """One minus the mean cosine between faces and their copies, by SFace."""
        with torch.no_grad():
            wanted = self._identity((aligned(truth, points, self.config.crop) + 1) * 127.5)
        got = self._identity((aligned(found, points, self.config.crop) + 1) * 127.5)
        return 1 - F.cosine_similarity(got, wanted).mean()

    def _features_apart(self, truth: Tensor, found: Tensor) -> Tensor:
        """How far SFace's early layers lie apart, relative to their size."""
        with torch.no_grad():
            wanted = self._identity.features((truth + 1) * 127.5)
        got = self._identity.features((found + 1) * 127.5)
        return torch.stack([(a - b).abs().mean() / (a.abs().mean() + 1e-3) for a, b in zip(wanted, got, strict=True)]).sum()

    def judge(self) -> tuple[dict[str, float], Image]:
        found = np.concatenate(
            [
                to_images(self._autoencoder.decode(self._autoencoder.encode(to_tensor(self._judged[k : k + 8]))))
                for k in range(0, len(self._judged), 8)
            ]
        )
        truth = torch.from_numpy(np.stack(self._judged)).permute(0, 3, 1, 2).float() / 255
        got = torch.from_numpy(found).permute(0, 3, 1, 2).float() / 255
        colours, seen = measures.chroma(truth), measures.chroma(got)
        numbers = {
            "psnr": float(measures.psnr(truth, got).mean()),
            "ssim": float(measures.ssim(truth, got).mean()),
            "sface": float(np.mean(self._likenesses(found))),
            "cb_slope": measures.slope(colours[:, 0], seen[:, 0]),
            "cr_slope": measures.slope(colours[:, 1], seen[:, 1]),
        }
        rows = [row for k in range(0, min(SHOWN, len(found)), 6) for row in (self._judged[k : k + 6], list(found[k : k + 6]))]
        return {name: round(value, 4) for name, value in numbers.items()}, sheet(rows)

    def _likenesses(self, found: Image) -> list[float]:
        """SFace cosine of every judged picture to its copy, at the same five points."""
        likenesses = []
        for truth, copy in zip(self._judged, found, strict=True):
            face = self._graders.detect(truth)
            if face is not None:
                likenesses.append(float(self._graders.sface(truth, face[1]) @ self._graders.sface(np.ascontiguousarray(copy), face[1])))
        return likenesses


@torch.no_grad()
def measure_latents(network: Autoencoder, data: Dataset, most: int = 512) -> None:
    """Set the network's mean and deviation of the latents, from pictures spread over the data."""
    network.latent_mean.zero_()
    network.latent_std.fill_(1)
    count = min(most, len(data))
    rows = [data.rows[k * len(data) // count] for k in range(count)]
    latents = torch.cat([network.encode(to_tensor([data.image(row) for row in rows[k : k + 16]])) for k in range(0, count, 16)])
    network.latent_mean.copy_(latents.mean((0, 2, 3)))
    network.latent_std.copy_(latents.std((0, 2, 3)))

"""The diffusers pipeline for the same weights, written the usual way: as StableDiffusionControlNetPipeline does it, in torch, step by step."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler
from omokage import noise
from omokage.analysis import analysed
from omokage.faces import Image
from omokage.head import expressive, hold_of, inside, lit, overlaid, wholly
from omokage.pixels import pixels
from omokage.plate import put_on
from omokage.pose import turned
from omokage.system import DETAIL, EXPRESSION_SCALE, HOLD, LIGHT_SCALE, OVERLAY_SCALE, Words
from omokage.texts import text
from torch import Tensor

from export.__main__ import WEIGHTS
from export.face_models import clean_models
from export.families import MINI
from export.identity_encoder import IdentityEncoder
from export.parity import IdentityOfUnitLength
from export.plain import PlainControlNet
from export.released import restored
from export.text_encoder import TextEncoder, load_tokenizer, token_ids
from measure.bench.runtimes import plain_unet
from measure.bench.turns import THREADS
from measure.in_process import InProcess

NETWORKS = ("unet", "context_text", "context_crossfaceid", "appearance_encoder", "controlnet_pose", "vae_encoder", "vae_decoder")
COSINE: dict[str, Any] = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
SCHEDULERS: dict[str, Any] = {
    "ddim": lambda: DDIMScheduler(**COSINE, clip_sample=False, set_alpha_to_one=True),
    "dpm-solver": lambda: DPMSolverMultistepScheduler(**COSINE, final_sigmas_type="zero"),
    "unipc": lambda: UniPCMultistepScheduler(**COSINE, final_sigmas_type="zero"),
}
"""diffusers' own, by the names of our samplers."""


@dataclass(frozen=True)
class Settings:
    """`hold`: over which share of the schedule the photo's head is held; `detail`: how much of its pixels is laid over the end."""

    steps: int
    sampler: str = "ddim"
    guidance: float = 3.0
    hold: float = HOLD.default
    detail: float = DETAIL.default


@dataclass(frozen=True)
class Sitting:
    """Of one photo, what a pipeline is given ready: crops [1, 3, 112, 112], control picture and head [1, 3, H, W], the head's cover [1, 1, h, w] and
    matte [1, 1, H, W]."""

    face: Tensor
    head: Tensor
    condition: Tensor
    laid: Tensor
    cover: Tensor
    matte: Tensor

    @classmethod
    def of(cls, runtime: InProcess, photo: bytes, words: str) -> Self:
        """The head facing the camera with the expression of the words, and in their light, as a portrait has it without a pose."""
        seen, said = analysed(runtime.infer, photo), runtime.infer("encode_prompt", {"words": text(words)})
        wanted = Words(said["states"], said["mask"], said["text_kv"])
        shape = expressive(runtime.infer, seen["shape"], wanted, EXPRESSION_SCALE.default)
        texture = lit(runtime.infer, seen["texture"], wanted, LIGHT_SCALE.default)
        texture = overlaid(runtime.infer, texture, wanted, OVERLAY_SCALE.default)
        drawn = runtime.infer("condition_pose", {"placed_landmarks": turned(shape[0], 0, 0, 0)[None], "texture": texture})
        return cls(**{one.name: torch.from_numpy(np.ascontiguousarray((seen | drawn)[one.name])) for one in fields(cls)})


class Pipeline:
    """Text and face encoders, guidance as a batch of two through ControlNet and UNet, a scheduler of diffusers, the decoder."""

    def __init__(self) -> None:
        torch.set_num_threads(THREADS)
        parts = restored(MINI, WEIGHTS / MINI.name, NETWORKS)
        self._generator, self._autoencoder = parts.generator.eval(), parts.autoencoder.eval()
        self._unet, self._controlnet = plain_unet(parts), PlainControlNet(MINI.unet, parts.generator.pose).eval()
        self._tokenizer, self._text_encoder = load_tokenizer(), TextEncoder()
        self._identity = IdentityOfUnitLength(IdentityEncoder(clean_models()[1]))

    @torch.no_grad()
    def __call__(self, words: str, sitting: Sitting, settings: Settings, seed: int) -> Image:
        tokens, face = self._words([words, ""]), self._face(sitting)
        faces = torch.cat([face, torch.zeros_like(face)])
        known = self._unet.attend(tokens, faces)
        head = self._autoencoder.encode(sitting.laid)
        condition, reference = (value.expand(2, -1, -1, -1) for value in (sitting.condition, head))
        scheduler = SCHEDULERS[settings.sampler]()
        scheduler.set_timesteps(settings.steps)
        held = ((1 - torch.from_numpy(hold_of(inside(sitting.cover.numpy()), settings.hold))) * scheduler.config.num_train_timesteps).round()
        first = torch.from_numpy(noise.normal(seed, (1, MINI.unet.latent_channels, MINI.latent_side, MINI.latent_side)))
        sample = first * scheduler.init_noise_sigma
        for place, timestep in enumerate(scheduler.timesteps):
            both = scheduler.scale_model_input(torch.cat([sample, sample]), timestep)
            control = self._controlnet(both, timestep, condition, faces, reference)
            wanted, unwanted = self._unet(both, timestep.expand(2), tokens, known, *control).chunk(2)
            sample = scheduler.step(unwanted + settings.guidance * (wanted - unwanted), timestep, sample, return_dict=False)[0]
            after = scheduler.timesteps[place + 1 : place + 2]
            if len(after):
                sample = sample + sitting.cover * (after >= held) * (scheduler.add_noise(head, first, after) - sample)
        picture = self._autoencoder.decode(sample).numpy()
        share = wholly(settings.hold) * settings.detail
        if share > 0:
            picture = picture + share * (put_on(picture, sitting.laid.numpy(), sitting.matte.numpy()) - picture)
        return pixels(picture[0])

    def _words(self, words: list[str]) -> Tensor:
        ids, mask = (torch.from_numpy(value) for value in token_ids(self._tokenizer, words))
        return self._generator.text.tokens(self._text_encoder(ids, mask), mask.float())

    def _face(self, sitting: Sitting) -> Tensor:
        appearance = self._generator.appearance(sitting.face, sitting.head)
        return self._generator.cross(self._identity(sitting.face), appearance)  # type: ignore[no-any-return]

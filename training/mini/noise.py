"""How much noise at which step, and how a picture comes out of it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from diffusers import DDIMScheduler
from torch import Tensor

STEPS = 1000
NOISY_FROM = 0.6  # of the steps
NOISY_SHARE = 0.25  # of what is drawn
Predict = Callable[[Tensor, Tensor], Tensor]  # latents [B, C, h, w] and steps [B] -> v


def scheduler() -> DDIMScheduler:
    """The mini family's: cosine (Nichol and Dhariwal 2021), v-prediction (Salimans and Ho 2022)."""
    return DDIMScheduler(
        num_train_timesteps=STEPS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


def draw_steps(batch: int, noise: torch.Generator) -> Tensor:
    """[B] steps. Most of them where signal and noise are about equal: the ratio of noise to signal is log-normal (Esser et al. 2024, 3.1).

    That leaves 3 % of the steps to the first tenth of the way from noise to a picture, and there it is decided what lies where. So the others are
    evenly spread over the noisier part.
    """
    angle = torch.atan(torch.exp(torch.randn(batch, generator=noise))) / (torch.pi / 2)
    noisy = 1 - (1 - NOISY_FROM) * torch.rand(batch, generator=noise)
    share = torch.where(torch.rand(batch, generator=noise) < NOISY_SHARE, noisy, angle)
    return (share * STEPS).long().clamp(0, STEPS - 1)


def noised(shown: Tensor, latent: Tensor, step: Tensor, alphas: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """(noisy latents of what is shown, v that means the clean latents), all [B, C, h, w]; `alphas` [1000]: the scheduler's cumulated ones.

    Where both are the same, v is that of Salimans and Ho 2022, appendix D.
    """
    extra = torch.randn(shown.shape, generator=noise)
    signal, dirt = alphas[step].sqrt()[:, None, None, None], (1 - alphas[step]).sqrt()[:, None, None, None]
    noisy = signal * shown + dirt * extra
    return noisy, (signal * noisy - latent) / dirt


def evened(step: Tensor, alphas: Tensor) -> Tensor:
    """[B] weights of v's square error where something else is shown: below the middle step, as the clean latents' error would count.

    v there has to make up for all that differs, divided by ever less noise.
    """
    return (2 * (1 - alphas[step])).clamp(max=1)


def clean(noisy: Tensor, prediction: Tensor, step: Tensor, alphas: Tensor) -> Tensor:
    """The clean latents [B, C, h, w] that a predicted v means. Salimans and Ho 2022, appendix D."""
    signal, dirt = alphas[step].sqrt()[:, None, None, None], (1 - alphas[step]).sqrt()[:, None, None, None]
    return signal * noisy - dirt * prediction


class Known(NamedTuple):
    """What part of a picture is known beforehand: latents [B, C, h, w], how much of each cell [B, 1, h, w], and until which step."""

    latent: Tensor
    cover: Tensor
    until: int


@torch.no_grad()
def sample(predict: Predict, start: Tensor, steps: int, known: Known | None = None) -> Tensor:
    """DDIM from noise [B, C, h, w] to clean latents; what is known stays so, under that noise, as long as the steps are noisier than `until`."""
    plan = scheduler()
    plan.set_timesteps(steps)
    latent = start
    for step, after in zip(plan.timesteps, [*plan.timesteps[1:].tolist(), -1], strict=True):
        latent = plan.step(predict(latent, step.repeat(len(latent))), step, latent).prev_sample
        if known is not None and after >= known.until:
            alpha = plan.alphas_cumprod[after]
            latent = torch.lerp(latent, alpha.sqrt() * known.latent + (1 - alpha).sqrt() * start, known.cover)
    return latent

"""Samplers as tables walk as diffusers' schedulers do, on the same predictions."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    UniPCMultistepScheduler,
)
from omokage.samplers import SAMPLERS, SCHEDULES, Schedule, advance, begin, guided
from omokage.samplers.table import Floats

FAMILIES: dict[str, dict[str, Any]] = {
    "cosine": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"},
    "scaled_linear": {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "epsilon"},
}
TRAILING: dict[str, Any] = {"timestep_spacing": "trailing"}
TO_THE_END: dict[str, Any] = {**TRAILING, "final_sigmas_type": "zero"}
OTHERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ddim": (DDIMScheduler, {**TRAILING, "clip_sample": False, "set_alpha_to_one": True}),
    "euler": (EulerDiscreteScheduler, TRAILING),
    "euler-ancestral": (EulerAncestralDiscreteScheduler, TRAILING),
    "dpm-solver": (DPMSolverMultistepScheduler, {**TO_THE_END, "algorithm_type": "dpmsolver++", "solver_order": 2}),
    "unipc": (UniPCMultistepScheduler, {**TO_THE_END, "solver_order": 2, "solver_type": "bh2"}),
    "lcm": (LCMScheduler, {"clip_sample": False, "set_alpha_to_one": True}),
}
"""Class and settings of each, to which the family's are added."""
SCALED = ("euler", "euler-ancestral")  # diffusers has their samples divided by the signal
ROUNDED_BY_DIFFUSERS = 5e-3  # 20,000 times the noise where the cosine schedule begins, in single precision, and it comes off again
SHAPE = (4, 8, 8)


def schedule(family: str) -> Schedule:
    return Schedule(SCHEDULES[family](), "v" if family == "cosine" else "epsilon")


def predicted(sample: Floats, timestep: int) -> Floats:
    """What some network might say: a function of the sample and the step alone."""
    return np.asarray(np.tanh(1.5 * sample) * np.float32(0.6) + np.float32(0.1 * np.sin(timestep)), np.float32)


def walked(name: str, family: str, steps: int) -> list[Floats]:
    """Our samples after every step."""
    table = SAMPLERS[name](schedule(family), steps)
    draw = np.random.default_rng(steps)
    state = begin(table, draw.normal(size=SHAPE).astype(np.float32))
    noises = draw.normal(size=(steps, *SHAPE)).astype(np.float32)
    made = []
    for step, noise in zip(table.steps, noises, strict=True):
        state, _ = advance(step, state, predicted(state[0], step.timestep), noise if step.needs_noise else None)
        made.append(state[0])
    return made


def walked_by_diffusers(name: str, family: str, steps: int, patch: pytest.MonkeyPatch) -> list[Floats]:
    """diffusers' samples after every step, with our noise in place of its own."""
    kind, settings = OTHERS[name]
    other = kind(**settings, **FAMILIES[family])
    other.set_timesteps(steps)
    draw = np.random.default_rng(steps)
    sample = torch.from_numpy(draw.normal(size=SHAPE).astype(np.float32)) * other.init_noise_sigma
    noises = iter(torch.from_numpy(draw.normal(size=(steps, *SHAPE)).astype(np.float32)))
    for module in ("euler_ancestral_discrete", "lcm"):
        patch.setattr(f"diffusers.schedulers.scheduling_{module}.randn_tensor", lambda *_, **__: next(noises))
    made = []
    for place, step in enumerate(other.timesteps):
        given = other.scale_model_input(sample, step)
        sample = other.step(torch.from_numpy(predicted(given.numpy(), int(step))), step, sample, return_dict=False)[0]
        scale = (float(other.sigmas[place + 1]) ** 2 + 1) ** -0.5 if name in SCALED else 1.0
        made.append((sample * scale).numpy())
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_the_schedule_is_diffusers_own(family: str) -> None:
    np.testing.assert_allclose(SCHEDULES[family](), DDIMScheduler(**FAMILIES[family]).alphas_cumprod.numpy(), atol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 4, 20, 50])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_table_walks_as_diffusers_does(name: str, family: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = walked(name, family, steps), walked_by_diffusers(name, family, steps, monkeypatch)
    tolerance = ROUNDED_BY_DIFFUSERS if name in SCALED and family == "cosine" else 1e-5
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=tolerance * max(1.0, float(np.abs(other).max())))


def test_euler_on_the_cosine_schedule_is_ddim() -> None:
    for mine, other in zip(walked("euler", "cosine", 20), walked("ddim", "cosine", 20), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_a_step_that_needs_noise_does_not_go_on_without() -> None:
    step = SAMPLERS["lcm"](schedule("cosine"), 4).steps[0]
    nothing = np.zeros(SHAPE, np.float32)
    with pytest.raises(ValueError, match="the step at 999 needs new noise, and got none"):
        advance(step, np.zeros((4, *SHAPE), np.float32), nothing)


def test_guidance_is_a_weighted_sum_of_the_branches() -> None:
    predictions = np.stack([np.full((2, 2), 3.0), np.full((2, 2), 1.0)]).astype(np.float32)
    assert guided(predictions, np.array([2.5, -1.5], np.float32)).tolist() == [[6.0, 6.0], [6.0, 6.0]]


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_else_is_in_a_batch_changes_nothing(name: str) -> None:
    step = SAMPLERS[name](schedule("cosine"), 10).steps[3]
    draw = np.random.default_rng(0)
    state, prediction, noise = draw.normal(size=(4, 5, *SHAPE)).astype(np.float32), *draw.normal(size=(2, 5, *SHAPE)).astype(np.float32)
    together, _ = advance(step, state, prediction, noise)
    for one in range(5):
        alone, _ = advance(step, state[:, one], prediction[one], noise[one])
        assert alone.tobytes() == together[:, one].tobytes()

"""One portrait by the server, in one call from a photo, and by the diffusers pipeline with the same weights."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import omokage
from omokage.faces import Image as Pixels
from PIL import Image

from measure.bench.pipeline import Pipeline, Settings, Sitting
from measure.bench.presets import BALANCED, FAST, MISSING, preset
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.bench.served import SAMPLE, WORDS
from measure.bench.server import NotTheSame
from measure.bench.spread import ratio, spreads
from measure.bench.turns import in_turns
from measure.in_process import REPOSITORY, InProcess
from server_config.arguments import SERVED, Ports
from server_config.canary import sing
from server_config.supervisor import Server

USUAL_STEPS = 50  # what diffusers takes if not told otherwise
ALIKE = 40.0  # dB: the same picture by another runtime
SEED = 7
OURS, SAME, USUAL, QUICKER = "balanced", "diffusers, same steps", "diffusers, usual steps", "fast"


def psnr(one: Pixels, other: Pixels) -> float:
    """Decibels."""
    return float(10 * np.log10(255**2 / max(float(np.mean((one.astype(np.float64) - other) ** 2)), 1e-9)))


def settings_of(knobs: dict[str, Any]) -> Settings:
    """As a portrait's report says."""
    return Settings(knobs["steps"], knobs["sampler"], knobs["guidance"], knobs["hold"], knobs["detail"])


def measured(scale: Scale) -> Found:
    """Ours also finds and cuts out the face, writes the file and says how like it is; the pipeline is given that face and ends with pixels."""
    pipeline, sitting = Pipeline(), Sitting.of(InProcess(), SAMPLE.read_bytes(), WORDS)
    balanced, fast = preset(BALANCED), preset(FAST)
    with Server(REPOSITORY, Ports.free(), models=SERVED, canary=sing) as server, omokage.Client(server.url) as client:

        def ours(knobs: dict[str, object]) -> omokage.Portrait:
            return client.portrait(WORDS, photo=SAMPLE, seed=SEED, knobs=knobs)

        def theirs(settings: Settings) -> Pixels:
            return pipeline(WORDS, sitting, settings, SEED)

        made = ours(balanced or {})
        settings = settings_of(made.report["knobs"])
        usual = Settings(USUAL_STEPS, guidance=settings.guidance, hold=settings.hold, detail=settings.detail)
        ways: dict[str, Callable[[], object]] = {OURS: lambda: ours(balanced or {}), SAME: lambda: theirs(settings), USUAL: lambda: theirs(usual)}
        if fast is not None:
            ways[QUICKER] = lambda: ours(fast)
        whole = ours({**(balanced or {}), "guided_share": 1.0, "pose_every": 1})  # the pipeline leaves nothing out
        alike = psnr(np.asarray(Image.open(io.BytesIO(whole.png)).convert("RGB")), theirs(settings))
        if alike < ALIKE:
            raise NotTheSame(f"the pipeline's portrait is {alike:.1f} dB from the server's, {ALIKE:g} are wanted")
        for ask in ways.values():
            ask()
        seconds = in_turns(ways, scale.portraits, "portraits")
    numbers = {
        "portrait_balanced_vs_diffusers": ratio(seconds[SAME], seconds[OURS]),
        "portrait_fast_vs_diffusers": ratio(seconds[USUAL], seconds[QUICKER]) if fast is not None else None,
    }
    raw = {"settings": vars(settings), "usual_steps": USUAL_STEPS, "psnr": round(alike, 1), "seconds": spreads(seconds)}
    return Found(numbers, raw, () if fast is not None else (MISSING,))

"""One step of the UNet at several batches, by the engine that is served and by every other way there is for the same weights."""

from typing import Any

import numpy as np
from tqdm import tqdm

from measure.bench.results import Found
from measure.bench.runtimes import Step, Ways, opened
from measure.bench.scale import Scale
from measure.bench.spread import against_fastest, spreads
from measure.bench.turns import in_turns

BATCHES = (1, 2, 8)
ALIKE = 1e-3  # of the largest number: ways that are further off do something else, and do not count
OURS, REFERENCE = "served", "diffusers eager"


def apart(ways: Ways) -> dict[str, float]:
    """How far each way's prediction is from diffusers' own, over the largest number of that."""
    wanted = np.asarray(ways[REFERENCE]())
    return {name: float(np.abs(np.asarray(ask()) - wanted).max() / np.abs(wanted).max()) for name, ask in ways.items()}


def measured(scale: Scale) -> Found:
    """A way counts at a batch if it gives the same numbers there."""
    steps = opened(scale.compiled)
    batches = {str(batch): _at(steps, batch, scale.calls) for batch in BATCHES}
    return Found({"unet_step_vs_fastest": min(row["vs_fastest"] for row in batches.values())}, {"batches": batches}, tuple(_absent(steps, scale)))


def _at(steps: dict[str, Step], batch: int, calls: int) -> dict[str, Any]:
    ways = {name: steps[name](batch) for name in tqdm(steps, f"opening batch {batch}", mininterval=5)}  # torch.compile takes a minute or more
    off = apart(ways)
    seconds = in_turns(ways, calls, f"batch {batch}")
    counted = [name for name in ways if off[name] <= ALIKE]
    speed, fastest = against_fastest(seconds, OURS, counted)
    return {"vs_fastest": speed, "fastest": fastest, "apart": off, "counted": counted, "seconds": spreads(seconds)}


def _absent(steps: dict[str, Step], scale: Scale) -> list[str]:
    found = [] if "openvino" in steps else ["OpenVINO is not installed, so it is not among the ways (`requirements/measure.txt` has it)"]
    return found if scale.compiled else [*found, "Left out, since it takes minutes: torch.compile"]

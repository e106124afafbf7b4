"""What pairs of shots are worth to crossfaceid: its context beside one that learned as long, from the same beginning, by the very picture's face."""

import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from omokage.passport import Passport

from export.__main__ import WEIGHTS
from measure import claims
from measure.following import by_thing, loss_error, shown, wishes
from measure.graded import Real, graded
from measure.people import Sitter
from measure.studio import Studio

SYSTEM, NETWORK = "crossfaceid", "context_crossfaceid"
CONTEXTS = {"pairs": WEIGHTS / "other-shot", "same shots": WEIGHTS / "same-shot"}
"""What a context learned by, and where its graph lies: made for this alone, nothing serves them."""
ALONE: Mapping[str, object] = MappingProxyType({"pose_scale": 0.0})
"""No head is shown or held, so the expression comes from the words and from what the context has of the face."""


def compared(people: Sequence[Sitter], passports: Sequence[Passport], truth: Real, expressions: int, steps: int) -> dict[str, Any]:
    """The claim, by the likeness of these people's portraits, whose passports are the first, and so many wishes of each expression, of anybody."""
    asked, found, followed = wishes(expressions, 0), {}, {}
    for name, folder in CONTEXTS.items():
        studio = Studio(steps, {NETWORK: folder / f"{NETWORK}.onnx"})
        asks = [studio.ask(SYSTEM, f"alone/{s.seed}", s.words, p, s.seed, knobs=ALONE) for s, p in zip(people, passports, strict=False)]
        likeness = graded(studio.graders, [one.pixels for one in studio.many(f"{SYSTEM} by {name}", asks)], truth)[0]
        worded = studio.wished(SYSTEM, asked, passports, ALONE, "alone/wishes")
        followed[name] = shown(studio.runtime, asked, [one.pixels for one in worded])
        found[name] = likeness | {"expression_following": round(statistics.mean(by_thing(asked, followed[name]).values()), 4)}
    return claims.pairs(found["pairs"], found["same shots"], loss_error(asked, followed["same shots"], followed["pairs"]))

"""What each preset costs, and what it loses against the best one, by the default system."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from omokage.passport import Passport
from omokage.portrait import DEFAULT_SYSTEM
from omokage.presets import BEST, PRESETS

from measure import claims
from measure.following import EXPRESSIONS, Wish, in_the_mean, shown, wishes
from measure.graded import Real, graded, png, seconds
from measure.people import Sitter
from measure.studio import Studio


def compared(
    studio: Studio, people: Sequence[Sitter], passports: Sequence[Passport], truth: Real, expressions: int, others: int
) -> dict[str, dict[str, Any]]:
    """By preset: the likeness of these people's portraits, whose passports are the first, and following by so many wishes of each expression and of
    each other thing, of anybody, which are the same for all presets."""
    asked = wishes(expressions, others)
    found, followed = {}, {}
    for preset in PRESETS:
        knobs = studio.preset(preset)
        asks = [
            studio.ask(DEFAULT_SYSTEM, str(s.seed), s.words, p, s.seed, pose=png(s.asked), knobs=knobs)
            for s, p in zip(people, passports, strict=False)
        ]
        made = studio.many(f"preset {preset}", asks)
        worded = studio.wished(DEFAULT_SYSTEM, asked, passports, knobs)
        followed[preset] = shown(studio.runtime, asked, [one.pixels for one in worded])
        found[preset] = graded(studio.graders, [one.pixels for one in made], truth)[0] | in_the_mean(asked, followed[preset])
        found[preset]["seconds"] = seconds(made)
    return {
        name: numbers | claims.lost(numbers, found[BEST]) | {"expression_error": loss_error(asked, followed[name], followed[BEST])}
        for name, numbers in found.items()
    }


def loss_error(asked: Sequence[Wish], right: Sequence[bool], best: Sequence[bool]) -> float:
    """Standard error of what is lost of expression following. Wishes of one number are of one person and seed, so they count once, by their mean."""
    lost: dict[int, list[float]] = defaultdict(list)
    for wish, one, other in zip(asked, right, best, strict=True):
        if wish.about in EXPRESSIONS:
            lost[wish.number].append(float(other) - float(one))
    means = [float(np.mean(values)) for values in lost.values()]
    return round(float(np.std(means, ddof=1) / np.sqrt(len(means))), 4)

"""What each preset costs, and what it loses against the best one, by the default system."""

from collections.abc import Sequence
from typing import Any

from omokage.passport import Passport
from omokage.portrait import DEFAULT_SYSTEM
from omokage.presets import BEST, PRESETS

from measure import claims
from measure.following import in_the_mean, loss_error, shown, wishes
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

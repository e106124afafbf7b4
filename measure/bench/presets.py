"""The presets that a request may name, where the systems have them."""

from collections.abc import Sequence

from omokage.knobs import Choice, Knob
from omokage.portrait import DEFAULT_SYSTEM
from omokage.systems import SYSTEMS

KNOB, FAST, BALANCED = "preset", "fast", "balanced"
MISSING = f"The system {DEFAULT_SYSTEM} has no knob `{KNOB}`: what is `{FAST}` was not measured, and `{BALANCED}` is what a request without one gets"


def named(knobs: Sequence[Knob | Choice], name: str) -> dict[str, object] | None:
    """What a request says for a preset; None where there is none of that name."""
    known = next((knob for knob in knobs if knob.name == KNOB), None)
    return {KNOB: name} if isinstance(known, Choice) and name in known.choices else None


def preset(name: str, system: str = DEFAULT_SYSTEM) -> dict[str, object] | None:
    return named(SYSTEMS[system].knobs, name)

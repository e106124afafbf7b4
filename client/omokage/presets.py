"""Presets: what knobs are where a request says nothing of them. docs/performance.md has what each costs and loses."""

from collections.abc import Mapping

PRESETS: dict[str, dict[str, object]] = {
    "fast": {"steps": 8, "sampler": "dpm-solver", "guided": "folded", "hold": 1.0},
    "balanced": {},
    "best": {"steps": 40, "guided_share": 1.0, "pose_every": 1},
}
DEFAULT, BEST = "balanced", "best"


def filled(given: Mapping[str, object]) -> dict[str, object]:
    """The knobs that are given, and before them those of the preset; one of a name that there is not is left to be refused."""
    name = given.get("preset", DEFAULT)
    return {**(PRESETS.get(name, {}) if isinstance(name, str) else {}), **given}

"""The systems: each a short recipe of guidance branches over the same engines."""

from dataclasses import asdict
from typing import Any

from omokage.systems.base import System
from omokage.systems.crossfaceid import CROSSFACEID
from omokage.systems.face0 import FACE0
from omokage.systems.face_makeup import FACE_MAKEUP

SYSTEMS: dict[str, System] = {system.name: system for system in (FACE0, FACE_MAKEUP, CROSSFACEID)}

__all__ = ["SYSTEMS", "System", "described"]


def described() -> list[dict[str, Any]]:
    """Name, meaning, pictures and knobs of every system, as plain data."""
    return [
        {
            "name": system.name,
            "says": system.says,
            "pictures": list(system.pictures),
            "knobs": [asdict(knob) | {"range": knob.range} for knob in system.knobs],
        }
        for system in SYSTEMS.values()
    ]

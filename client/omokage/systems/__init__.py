"""The systems: each a short recipe of guidance branches over the same engines."""

from dataclasses import asdict
from typing import Any

from omokage.system import System
from omokage.systems.crossfaceid import CROSSFACEID
from omokage.systems.face0 import FACE0
from omokage.systems.face_makeup import FACE_MAKEUP
from omokage.systems.lipe import LIPE
from omokage.systems.megaportrait import MEGAPORTRAIT

SYSTEMS: dict[str, System] = {system.name: system for system in (FACE0, FACE_MAKEUP, CROSSFACEID, MEGAPORTRAIT, LIPE)}

BY_ONE_PHOTO = {name: system for name, system in SYSTEMS.items() if not system.personal}
"""Those that need no more of a person than one photo."""

__all__ = ["BY_ONE_PHOTO", "SYSTEMS", "System", "described"]


def described() -> list[dict[str, Any]]:
    """Name, meaning, pictures and knobs of every system, as plain data."""
    return [
        {
            "name": system.name,
            "says": system.says,
            "pictures": list(system.pictures),
            "needs": [*system.needs, *(["a personal prior"] if system.personal else [])],
            "knobs": [asdict(knob) | {"range": knob.range} for knob in system.knobs],
        }
        for system in SYSTEMS.values()
    ]

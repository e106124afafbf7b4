"""What was found, as one file: a number of each row at the top, and the raw times below."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage.files import write_whole

ROWS = "rows"


@dataclass(frozen=True)
class Found:
    """Of one row: its numbers by name, None for what could not be measured here; everything they come from; and what a reader must know of it."""

    numbers: Mapping[str, float | None]
    raw: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def merged(before: Mapping[str, Any], row: str, found: Found, machine: Mapping[str, Any]) -> dict[str, Any]:
    """The file with this row in place of an older one."""
    rows = dict(before.get(ROWS, {})) | {row: {"machine": dict(machine), "numbers": list(found.numbers), "notes": list(found.notes), **found.raw}}
    old = before.get(ROWS, {}).get(row, {}).get("numbers", [])
    kept = {name: value for name, value in before.items() if name != ROWS and name not in old}
    return {**kept, **found.numbers, ROWS: rows}


def read(path: Path) -> dict[str, Any]:
    """Nothing, where there is none or one of another form."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text())
    return found if ROWS in found else {}


def write(path: Path, found: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(found, indent=2) + "\n").encode())


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was before."""
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"processor": names[0] if names else "unknown", "cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2)}

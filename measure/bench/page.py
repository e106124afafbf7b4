"""The page of a bench: what out/bench.json says, as tables."""

from collections.abc import Mapping
from typing import Any

from measure.bench import tables
from measure.bench.aims import AIMS
from measure.bench.prose import HOW, SECTIONS, WRITTEN
from measure.bench.results import ROWS


def page(found: Mapping[str, Any]) -> str:
    """Markdown; what was not measured is said to be so."""
    rows: Mapping[str, Any] = found.get(ROWS, {})
    parts = ["# Performance", WRITTEN, HOW.format(machine=_machines(rows)), _aims(found)]
    for row, (title, says) in SECTIONS.items():
        parts += [f"## {title}", says]
        if row not in rows:
            parts.append("Not measured.")
            continue
        parts += [*getattr(tables, row)(rows[row]), *(f"{note}." for note in rows[row]["notes"])]
    return "\n\n".join(parts) + "\n"


def _aims(found: Mapping[str, Any]) -> str:
    lines = []
    for aim in AIMS:
        value = found.get(aim.name)
        met = "" if value is None else "met" if aim.met(value) else "**not met**"
        lines.append([aim.says, f"`{aim.name}`", "not measured" if value is None else tables.said(value), aim.wanted, met])
    return tables.table(["measure", "name", "found", "aim", ""], lines)


def _machines(rows: Mapping[str, Any]) -> str:
    """What it was measured on; a row of another machine or of a busy one is named."""
    kinds: dict[str, list[str]] = {}
    for name, row in rows.items():
        kinds.setdefault(f"{row['machine']['processor']}, {row['machine']['cores']} cores", []).append(name)
    busy = [f"{name} ({row['machine']['load_before']:g})" for name, row in rows.items() if row["machine"]["load_before"] > 1]
    where = "; ".join(kind if len(kinds) == 1 else f"{kind}: {', '.join(names)}" for kind, names in kinds.items()) or "nothing yet"
    return f"Measured on: {where}. " + (f"Load above 1 before it began: {', '.join(busy)}." if busy else "Nothing else ran there.")

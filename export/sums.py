"""A release's sums: the SHA-256 of each of its files, in the form that `sha256sum --check` reads."""

from pathlib import Path

from export.errors import DamagedData
from export.packages import digest

SUMS = "SHA256SUMS"
RELEASED = (".onnx", ".safetensors", ".json")
"""Endings of files that belong to a release."""


def write(folder: Path) -> None:
    """Of all files of a release, as they are now."""
    files = sorted(file for file in folder.iterdir() if file.suffix in RELEASED)
    partial = folder / f"partial-{SUMS}"
    partial.write_text("".join(f"{digest(file)}  {file.name}\n" for file in files))
    partial.replace(folder / SUMS)


def known(folder: Path) -> dict[str, str]:
    """By file, its sum; empty for a folder that is no release."""
    path = folder / SUMS
    rows = [line.split("  ", 1) for line in path.read_text().splitlines()] if path.exists() else []
    return {name: found for found, name in rows}


def check(file: Path, found: str) -> None:
    """Raises DamagedData for a file of a release whose sum, `found`, is not the release's."""
    sums = known(file.parent)
    wanted = sums.get(file.name)
    if sums and found != wanted:
        says = f"{wanted[:12]}…" if wanted else "nothing of it"
        raise DamagedData(
            f"{file.parent.name}/{file.name} has sha256 {found[:12]}…, {SUMS} beside it says {says}; fetch the file again, or, "
            "if you made it yourself, export it with `python -m export`, which writes the sums, too"
        )

"""Engines into the server's repository, where Triton looks for them."""

import os
import shutil
from pathlib import Path

from engines import sidecar
from engines.build import engine_path
from engines.sources import tokenizer_of
from export import sums

VERSION = "1"


def install(engines: Path, family: str, target: str, repository: Path, networks: list[str]) -> list[Path]:
    """Link (or copy) engines and side-cars into their models' version folders; returns the engines' paths there."""
    placed = []
    for network in networks:
        source = engine_path(engines, family, target, network)
        folder = repository / network / VERSION
        folder.mkdir(parents=True, exist_ok=True)
        for file in (source, sidecar.path_of(source)):
            _place(file, folder / file.name)
        placed.append(folder / source.name)
    return placed


def install_tokenizer(family: str, repository: Path) -> None:
    """The family's tokenizer beside the model that reads it. Raises DamagedData for another than the release's."""
    folder = repository / "tokenizer" / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_of(family)
    sums.check(tokenizer)
    _place(tokenizer, folder / "tokenizer.json")


def _place(source: Path, path: Path) -> None:
    """A hard link where both lie on one disk, else a copy; the old file stays until the new one is whole."""
    if path.exists() and path.samefile(source):
        return  # renaming a link onto another of the same file would leave both
    partial = path.with_name("partial-" + path.name)
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copy(source, partial)
    partial.replace(path)

"""What building the engines of a target took, as the side-cars say: docs/engines.md."""

from pathlib import Path

from engines import sidecar
from engines.build import engine_path
from engines.errors import BadEngine, MissingPiece
from export import specs
from export.families import Family

HEAD = """# Engines

Written by `python -m engines table` from the side-cars of built engines. Seconds and the most memory
resident are of the builder's process. Graphs of published families compute as they were exported ([families.md](families.md)),
on two cores that others were using: their seconds are upper ends.

TensorRT-RTX does not give a network the same bytes each time. Of three builds of the mini family on busy cores (1.7.1.116), 11 of 23
plans were alike, and 12 with one thread; those that were not had the same length and differed in some hundred bytes: names that its
compiler numbers, and the order in which it keeps sizes that follow from the batch. Addresses that are not drawn anew, one core, threads
that none interrupts and a fixed source of random numbers do not change that: with all four, of three builds of `unet` two are alike. With one
malloc arena, too (`GLIBC_TUNABLES=glibc.malloc.arena_max=1 setarch -R taskset -c 1 chrt -f 1`, as root), 6 of 6 builds of `unet` were alike;
without any one of arena, addresses and `chrt` they were not. Another environment, path or folder gives other bytes, and in one emptied
environment two builds differed; no other network was tried, and `make engines` does not do so. The
plans do not agree without those names, either, and `unet_gradient`'s differ in length. A plan is therefore known by what it was made from
(the key of its side-car), is not built again while that stays, and its sha256 says whether its file is whole.
"""


def section(out: Path, family: Family, target: str) -> str:
    """A table of a family's engines for a target. Raises MissingPiece where one is not built."""
    lines = [f"## {family.name}, {target}", "", "", "| network | seconds | memory, MiB | engine, MiB | sha256 |", "|---|---|---|---|---|"]
    for name in specs.networks(family):
        engine = engine_path(out, family.name, target, name)
        try:
            found = sidecar.read(engine)
        except BadEngine as error:
            raise MissingPiece(f"{name} is not built for {target}; run `make engines FAMILY={family.name} TARGET={target}` ({error})") from None
        peak = "" if found.peak_bytes is None else f"{found.peak_bytes / 2**20:.0f}"
        lines.append(f"| `{name}` | {found.seconds:.1f} | {peak} | {engine.stat().st_size / 2**20:.2f} | `{found.sha256[:12]}` |")
        runtime, options = found.recipe.runtime, found.recipe.options
    lines[1] = f"\nBy {runtime}; {', '.join(f'{key}: {value}' for key, value in options.items())}."
    return "\n".join(lines) + "\n"


def write(path: Path, out: Path, family: Family, target: str) -> None:
    """The page with a family's section anew; those of others stay."""
    sections = {f"{family.name}, {target}": section(out, family, target)}
    for text in path.read_text().split("\n## ")[1:] if path.exists() else ():
        sections.setdefault(text.splitlines()[0], f"## {text.rstrip()}\n")
    path.write_text(HEAD + "".join("\n" + sections[title] for title in sorted(sections)))

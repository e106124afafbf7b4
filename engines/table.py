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

**The same bytes each time.** Left to itself, TensorRT-RTX (1.7.1.116) gives a network other bytes in most builds: its compiler numbers
names and keeps sizes in an order that follows from addresses, and from which of its threads comes first. So its builder is started by
util-linux's `setarch -R` (addresses are not drawn anew), `taskset` (one core) and `chrt -f 1` (no thread is interrupted). It has a small
environment, a thread of its own with a stack that the environment does not move, one heap that grows in large steps and begins at a
round address, and its libraries are kept in memory (`mlockall`): a thread that waits for a page, or for a map that the system's
housekeeping looks at, lets the other one pass (`engines/repeatable.py`). With all of that, of two builds of the mini family, the second
with a larger environment and into a longer path, 26 of 26 plans were alike while other work kept the cores busy, and both that were tried
of sd15 (`unet`, `vae_decoder`). It costs memory, since what is freed stays with the builder: `unet` of sd15 took 7,411 MiB and 48 s so, and
`unet` of sdxl 19,216 MiB and 150 s. The tables of sd15 and sdxl below were written before that, and their digests are of one build.
This holds for one installation: another C library or other Python packages give other addresses, and other bytes. What a system refuses
(`chrt` and `mlockall` want root or `CAP_SYS_NICE` and `CAP_IPC_LOCK`; containers may refuse `setarch -R`) is told when an engine is built,
and stands in its side-car as `made.refused`. A plan is not built again while the key of its side-car stays.
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
        peak = "" if found.made.peak_bytes is None else f"{found.made.peak_bytes / 2**20:.0f}"
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

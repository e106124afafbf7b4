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
util-linux's `setarch -R` (addresses are not drawn anew), `taskset` (one core) and `chrt -f` (no thread is interrupted), and its own thread
takes a lower priority than those that it starts: one that is started or woken comes at once, and not whenever the first waits for the
system, which moves pages of memory about. It has a
small environment, a thread of its own with a stack that the environment does not move, one heap that begins at a round address, and finds
nothing that Python has compiled before, whose absence would leave other traces on the heap (`engines/repeatable.py`). With all of that, of
two builds of each network, the second with a larger environment and into a longer path, all plans were alike: 26 of 26 of mini, with the
system told twice a second to compact its memory, 19 of 19 of sd15 and 19 of 19 of sdxl, beside other work.
This holds for one installation: another C library, other Python packages or another version of this project may give other addresses, and
other bytes. What a system refuses (`chrt` wants root or `CAP_SYS_NICE`; containers may refuse `setarch -R`) is told when an engine is
built, and stands in its side-car as `made.refused`. A plan is not built again while the key of its side-car stays.
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

"""`make bench`: `python -m measure.bench [ROW...]`, what serving costs and what others take for the same, into out/bench.json and
docs/performance.md."""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from measure.bench import results
from measure.bench.page import page
from measure.bench.scale import FULL, QUICK

OUT, PAGE = Path("out/bench.json"), Path("docs/performance.md")
SMALL = Path("out/bench-quick.json")
MODULES = ("unet", "portrait", "likeness", "server", "mixed", "people", "overload", "growth", "profile")
"""Each is a row, and has `measured(scale)`."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(MODULES)} (default: all); the others stay as they were")
    parser.add_argument("--quick", action="store_true", help=f"so little that it only shows whether all works; into {SMALL}")
    parser.add_argument("--out", type=Path, help=f"default: {OUT}, whose tables go to {PAGE}; those of any other file beside it")
    given = parser.parse_args(argv)
    for row in given.rows:
        if row not in MODULES:
            parser.error(f"there is no row {row!r}; choose of: {', '.join(MODULES)}")
    out, scale = given.out or (SMALL if given.quick else OUT), QUICK if given.quick else FULL
    found = results.read(out)
    for row in given.rows or MODULES:
        print(f"{row} ...", flush=True)
        machine, began = results.machine(), time.monotonic()
        one = importlib.import_module(f"measure.bench.{row}").measured(scale)
        found = results.merged(found, row, one, {**machine, "took_seconds": round(time.monotonic() - began, 1)})
        results.write(out, found)
        for name, value in one.numbers.items():
            print(f"  {name:32} {'not measured' if value is None else value}")
        for note in one.notes:
            print(f"  {note}")
    (PAGE if out == OUT else out.with_suffix(".md")).write_text(page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

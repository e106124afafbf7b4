"""A release's sums: the SHA-256 of each of its files, in the form that `sha256sum --check` reads."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from export.errors import DamagedData, ExportError
from export.packages import digest

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def known(folder: Path) -> dict[str, str] | None:
    """By file, its sum; None for a folder that has none. Raises DamagedData for lines that are no sums, or none at all."""
    path = folder / SUMS
    if not path.exists():
        return None
    rows = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    found = {row[2]: row[1] for row in rows if row}
    if not found or len(found) < len(rows):
        raise DamagedData(f"{folder.name}/{SUMS} has lines that are not `SHA-256  NAME`, or none; fetch the file again")
    return found


def put(files: Sequence[Path]) -> None:
    """Files of one folder, as they are now, among its sums; those of others stay. Raises DamagedData for sums that are torn."""
    folder = files[0].parent
    sums = (known(folder) or {}) | {file.name: digest(file) for file in files}
    partial = folder / f"partial-{SUMS}"
    partial.write_text("".join(f"{found}  {name}\n" for name, found in sorted(sums.items())))
    partial.replace(folder / SUMS)


def check(file: Path, found: str | None = None) -> None:
    """Raises DamagedData for a file in a folder with sums whose own, `found` where it is known already, is not the one there."""
    sums = known(file.parent)
    found = found or digest(file)
    wanted = (sums or {}).get(file.name)
    if sums is not None and found != wanted:
        says = f"{wanted[:12]}…" if wanted else "nothing of it"
        raise DamagedData(
            f"{file.parent.name}/{file.name} has sha256 {found[:12]}…, {SUMS} beside it says {says}; fetch the file again, or, if it is your own, "
            f"say so: `python -m export.sums {file}` (`python -m export` does that of what it writes)"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m export.sums", description="Put files, as they are now, among the sums of their folder.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    given = parser.parse_args(argv)
    try:
        for file in given.files:
            if not file.is_file():
                raise ExportError(f"{file} is not there; give files of a release")
        for folder in {file.parent for file in given.files}:
            put([file for file in given.files if file.parent == folder])
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

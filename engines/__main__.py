"""`python -m engines`: build the engines of a family for a target."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import EngineError, InvalidRequest
from export.errors import ExportError

OUT = Path("build/engines")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engines", description="Build engines; those that are there and right are left alone.")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="only these (default: all of the family)")
    parser.add_argument("--family", default="mini")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of the engines (default: {OUT})")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    arguments = _parser().parse_args(argv)
    from engines.build import build, family_named

    try:
        family = family_named(arguments.family)
        for name, sidecar, now in build(arguments.out, family, arguments.target, arguments.networks):
            print(f"{name:20} {'built in ' + format(sidecar.seconds, '.1f') + ' s' if now else 'is there'}", flush=True)
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (EngineError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m engines`: build the engines of a family for a target; write the server's configs of them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import EngineError, InvalidRequest
from export.errors import ExportError
from export.families import Family

OUT, ROOT = Path("build/engines"), Path(__file__).resolve().parents[1]
REPOSITORY, PAGE = ROOT / "model_repository", ROOT / "docs" / "engines.md"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engines", description="Graphs to engines.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build engines and put them into the server's repository; those that are right are left alone")
    build.add_argument("networks", nargs="*", metavar="NETWORK", help="only these (default: all of the family)")
    build.add_argument("--target", default="cpu", help="what they run on: cpu, tensorrt-rtx, tensorrt (default: cpu)")
    build.add_argument("--out", type=Path, default=OUT, help=f"folder of the engines (default: {OUT})")
    configs = commands.add_parser("configs", help="write the server's configs of the engine models, from the specs")
    for command in (build, configs):
        command.add_argument("--family", default="mini", help="default: mini")
    table = commands.add_parser("table", help="write docs/engines.md: what building took")
    table.add_argument("--target", default="tensorrt-rtx", help="default: tensorrt-rtx")
    table.add_argument("--out", type=Path, default=OUT, help=f"folder of the engines (default: {OUT})")
    table.add_argument("--family", default="mini", help="default: mini")
    roofline = commands.add_parser("roofline", help="what a portrait costs, counted from the graphs, and how long it takes on GPUs at least")
    roofline.add_argument("family", nargs="?", default="mini", metavar="FAMILY", help="default: mini")
    roofline.add_argument("--steps", type=int, default=20, help="of a portrait (default: 20)")
    roofline.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    from engines import configs
    from engines.build import build, family_named
    from engines.install import install, install_tokenizer
    from engines.table import write as write_table
    from engines.targets import target_named

    family = family_named(arguments.family)
    if arguments.command == "table":
        write_table(PAGE, arguments.out, family, arguments.target)
        print(f"{PAGE.relative_to(PAGE.parents[1])} written")
        return
    if arguments.command == "roofline":
        _roofline(family, arguments)
        return
    if arguments.command == "configs":
        if family.published:
            raise InvalidRequest(f"the server's models are those of the mini family; {family.name} has engines only")
        print(f"{len(configs.write(family, REPOSITORY))} configs in {REPOSITORY.name}/")
        return
    for name, sidecar, now in build(arguments.out, family, arguments.target, arguments.networks):
        if target_named(arguments.target).served and not family.published:  # the server's models are the mini family's
            install(arguments.out, family.name, arguments.target, REPOSITORY, [name])
            if name == "text_encoder":
                install_tokenizer(family.name, REPOSITORY)
        print(f"{name:20} {f'built in {sidecar.seconds:.1f} s' if now else 'is there'}", flush=True)


def _roofline(family: Family, arguments: argparse.Namespace) -> None:
    from engines.roofline import report, table

    if arguments.steps < 1:
        raise InvalidRequest(f"steps is {arguments.steps}; it must be 1 or more")
    found = report(family, arguments.steps)
    print(json.dumps(found) if arguments.json else table(found))


def main(argv: Sequence[str] | None = None) -> int:
    """0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    try:
        _run(_parser().parse_args(argv))
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (EngineError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m training.people`: assets, render, check, sheet, kinds."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.errors import ExportError
from training.people.errors import InvalidRequest, PeopleError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.people", description="Synthetic people: render them, check them.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("assets", help="fetch the packages and prepare the asset cache")
    commands.add_parser("kinds", help="list the kinds of groups that can be rendered")
    render = commands.add_parser("render", help="render a folder; the same command goes on after a kill")
    render.add_argument("--people", type=int, required=True, help="how many people")
    render.add_argument("--shots", type=int, required=True, help="shots (or groups) of each person")
    render.add_argument("--out", type=Path, required=True, help="folder of the shards")
    render.add_argument("--first-person", type=int, default=0, metavar="SEED", help="seed of the first person (default: 0)")
    render.add_argument("--kind", default="shots", help="what a group is; see `kinds` (default: shots)")
    render.add_argument("--workers", type=int, default=2, help="processes, one core each (default: 2)")
    render.add_argument("--pictures-per-shard", type=int, default=128, metavar="N", help="at most; never less than one person (default: 128)")
    render.add_argument("--size", type=int, default=256, help="pixels: 256 or 512 (default: 256)")
    render.add_argument(
        "--picture-limit", type=float, default=60.0, metavar="SECONDS", help="a picture that takes longer is tried once more, then left out"
    )
    check = commands.add_parser("check", help="judge a rendered folder of plain shots")
    check.add_argument("folder", type=Path)
    check.add_argument("--json", action="store_true", help="print one JSON object")
    sheet = commands.add_parser("sheet", help="write a contact sheet of a rendered folder")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("--out", type=Path, required=True, help="picture file, by its ending: .png, .webp or .jpg")
    sheet.add_argument("--truth", action="store_true", help="a few pictures with landmarks, parts, face mask, depth and normals")
    return parser


def _render(arguments: argparse.Namespace) -> None:
    from training.people import farm, plan, prepare

    if arguments.picture_limit <= 0:
        raise InvalidRequest(f"picture-limit is {arguments.picture_limit}, it must be above 0 seconds")
    wanted = plan.Plan(
        arguments.kind,
        arguments.first_person,
        arguments.people,
        arguments.shots,
        arguments.size,
        plan.renderer_digest(),
        arguments.pictures_per_shard,
    )
    prepare.prepare()
    left_out = farm.render(arguments.out, wanted, workers=arguments.workers, picture_limit_s=arguments.picture_limit)
    print(f"{wanted.total - left_out} pictures in {arguments.out}" + (f", {left_out} left out (see {farm.FAILURES})" if left_out else ""))


def _print_check(numbers: dict[str, Any]) -> None:
    for name, value in numbers.items():
        if not isinstance(value, dict):
            print(f"{name:32} {value}")
    print("keypoint error / eye distance    " + ", ".join(f"{k} {v}" for k, v in numbers["keypoint_error_over_eye_distance"].items()))
    for recognizer in ("sface", "dlib"):
        for group, found in numbers[recognizer].items():
            print(f"{recognizer:6} {group:22} AUC {found['auc']:.4f}  same {found['same']:.3f}  different {found['different']:.3f}")
    for name, shares in numbers["distribution"].items():
        print(f"{name:12} " + "  ".join(f"{value} {share:.1%}" for value, share in shares.items()))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "assets":
            from training.people.prepare import prepare

            print(prepare())
        elif arguments.command == "kinds":
            from training.people.groups import KINDS

            for name, kind in KINDS.items():
                print(f"{name:12} {kind.says}")
        elif arguments.command == "render":
            _render(arguments)
        elif arguments.command == "check":
            from training.people.check import check

            numbers = check(arguments.folder, quiet=not sys.stderr.isatty())
            print(json.dumps(numbers)) if arguments.json else _print_check(numbers)
        else:
            from training.people.sheet import contact_sheet, truth_sheet

            (truth_sheet if arguments.truth else contact_sheet)(arguments.folder, arguments.out)
            print(arguments.out)
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (PeopleError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

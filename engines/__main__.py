"""`python -m engines`: build the engines of a family for a target; write the server's configs of them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.errors import EngineError, InvalidRequest
from export.errors import ExportError
from export.families import Family

QUANTIZED, TRAJECTORIES = Path("build/quantized"), Path("out/trajectories")
OUT, ROOT = Path("build/engines"), Path(__file__).resolve().parents[1]
REPOSITORY, PAGE = ROOT / "model_repository", ROOT / "docs" / "engines.md"
PLANS = ROOT / "build" / "repository"
"""Configs of published families' networks: what makes portraits of them is of the mini family alone, so these are not served with it."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engines", description="Graphs to engines.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build engines and put them into the server's repository; those that are right are left alone")
    build.add_argument("networks", nargs="*", metavar="NETWORK", help="only these (default: all of the family)")
    build.add_argument(
        "--target", default="cpu", help="what they run on: cpu, tensorrt-rtx, tensorrt; of the last two also -fp8, -int8 (default: cpu)"
    )
    build.add_argument("--out", type=Path, default=OUT, help=f"folder of the engines (default: {OUT})")
    configs = commands.add_parser("configs", help="write the server's configs of the engine models, from the specs")
    for command in (build, configs):
        command.add_argument("--family", default="mini", help="default: mini")
    table = commands.add_parser("table", help="write docs/engines.md: what building took")
    table.add_argument("--target", default="tensorrt-rtx", help="default: tensorrt-rtx")
    table.add_argument("--out", type=Path, default=OUT, help=f"folder of the engines (default: {OUT})")
    table.add_argument("--family", default="mini", help="default: mini")
    smaller = commands.add_parser("quantize", help="a graph whose layers compute in fewer bits, calibrated on what real portraits gave the network")
    smaller.add_argument("--calibration", type=Path, help="npz of the network's inputs (default: out/trajectories/NETWORK/calibration.npz)")
    change = commands.add_parser("sensitivity", help="how much a network's output changes when one layer alone is quantized")
    change.add_argument("--held-out", type=Path, help="npz of inputs that were not calibrated on (default: out/trajectories/NETWORK/held-out.npz)")
    change.add_argument("--rows", type=int, default=12, help="of that file (default: 12)")
    for command in (smaller, change):
        command.add_argument("--family", default="mini", help="default: mini")
        command.add_argument("--network", default="unet", help="unet or controlnet_pose (default: unet)")
        command.add_argument("--precision", default="fp8", help="fp8 or int8 (default: fp8)")
        command.add_argument("--out", type=Path, default=QUANTIZED, help=f"folder of quantized graphs (default: {QUANTIZED})")
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
    if arguments.command in ("quantize", "sensitivity"):
        _quantization(family, arguments)
        return
    if arguments.command == "roofline":
        _roofline(family, arguments)
        return
    if arguments.command == "configs":
        made, where = (configs.plans(family), PLANS / family.name) if family.published else (configs.files(family), REPOSITORY)
        print(f"{len(configs.write(made, where))} configs in {where.relative_to(ROOT)}/")
        return
    for name, sidecar, now in build(arguments.out, family, arguments.target, arguments.networks):
        if target_named(arguments.target).served and not family.published:  # the server's models are the mini family's
            install(arguments.out, family.name, arguments.target, REPOSITORY, [name])
            if name == "text_encoder":
                install_tokenizer(family.name, REPOSITORY)
        print(f"{name:20} {f'built in {sidecar.seconds:.1f} s' if now else 'is there'}{_varies(sidecar.made.refused)}", flush=True)


def _varies(refused: Sequence[str]) -> str:
    return f"; another build may give other bytes: this system refuses {', '.join(refused)}" if refused else ""


def _quantization(family: Family, arguments: argparse.Namespace) -> None:
    from engines import sensitivity
    from engines.quantize import quantize

    folder = TRAJECTORIES / arguments.network
    if arguments.command == "quantize":
        made = quantize(family, arguments.network, arguments.precision, arguments.calibration or folder / "calibration.npz", arguments.out)
        print(f"{made.network} in {made.precision}: {made.quantized} of {made.layers} products quantized, by {made.rows} rows")
        return
    if arguments.rows < 1:
        raise InvalidRequest(f"rows is {arguments.rows}; it must be 1 or more")
    held_out = arguments.held_out or folder / "held-out.npz"
    rows = []
    for row in sensitivity.sensitivities(arguments.out, family, arguments.network, arguments.precision, held_out, arguments.rows):
        print(f"{row.layer:72} {row.error:.4f}", file=sys.stderr, flush=True)
        rows.append(row)
    print(sensitivity.table(rows))


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

"""`python -m export`: networks of a family to ONNX graphs, weights beside them."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from export.errors import ExportError, InvalidRequest
from export.families import FAMILIES

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description="Export networks to ONNX, weights in safetensors beside them.")
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="names, or `all`")
    parser.add_argument("--family", default="mini", help=f"one of: {', '.join(FAMILIES)} (default: mini)")
    parser.add_argument("--trained", type=Path, help="folder of `python -m training.mini`; without it the weights are random")
    parser.add_argument("--out", type=Path, help="folder of the graphs (default: weights/FAMILY)")
    return parser


def _export(arguments: argparse.Namespace) -> None:
    if arguments.family not in FAMILIES:
        raise InvalidRequest(f"unknown family {arguments.family!r}; choose one of: {', '.join(FAMILIES)}")
    family = FAMILIES[arguments.family]
    from export import specs
    from export.networks import MODULES, module, trained, untrained
    from export.text_encoder import TOKENIZER, model_folder
    from export.to_onnx import graph, write

    names = list(MODULES) if arguments.networks == ["all"] else arguments.networks
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        raise InvalidRequest(f"{family.name} has no network {unknown[0]!r}; choose one of: {', '.join(MODULES)}")
    parts = trained(family, arguments.trained) if arguments.trained else untrained(family)
    out = arguments.out or WEIGHTS / family.name
    for name in names:
        path = out / f"{name}.onnx"
        write(graph(module(parts, name), specs.network(family, name)), path)
        print(f"{name:20} {path}", flush=True)
        if name == "text_encoder":
            shutil.copyfile(model_folder() / TOKENIZER, out / TOKENIZER)


def main(argv: Sequence[str] | None = None) -> int:
    """0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    arguments = _parser().parse_args(argv)
    try:
        _export(arguments)
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

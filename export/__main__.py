"""`python -m export`: networks of a family to ONNX graphs, weights beside them."""

import argparse
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from export.errors import ExportError, InvalidRequest
from export.families import FAMILIES, Family, Precision

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
GRAPHS = Path(__file__).resolve().parents[1] / "build" / "graphs"
"""Of published families: theirs are too large for the repository, and the weights are the user's."""
GENERATOR = "generator"  # the stage


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description="Export networks to ONNX, weights in safetensors beside them.")
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="names, or `all`; or `missing`: those that are not there yet")
    parser.add_argument("--family", default="mini", help=f"one of: {', '.join(FAMILIES)} (default: mini)")
    parser.add_argument("--trained", type=Path, help="mini: folder of `python -m training.mini`; without it the weights are random")
    parser.add_argument("--generator", default=GENERATOR, metavar="STAGE", help=f"mini: whose generator of --trained (default: {GENERATOR})")
    parser.add_argument(
        "--weights", type=Path, action="append", default=[], help="sd15, sdxl: a file or folder; may be given again (default: random)"
    )
    parser.add_argument(
        "--lora", action="append", default=[], metavar="FILE=STRENGTH", help="sd15, sdxl: merged into the weights; may be given again"
    )
    parser.add_argument("--faceid-plus", type=int, choices=(1, 2), help="which IP-Adapter-FaceID-Plus the weights are of: their tensors are the same")
    parser.add_argument("--accept-noncommercial", action="store_true", help="take weights whose licence does not allow commercial use")
    parser.add_argument(
        "--precision", choices=get_args(Precision), help="sd15, sdxl: what the networks compute in (default: as docs/families.md says)"
    )
    parser.add_argument("--out", type=Path, help="folder of the graphs (default: weights/mini, build/graphs/FAMILY)")
    return parser


def _export(arguments: argparse.Namespace) -> None:
    if arguments.family not in FAMILIES:
        raise InvalidRequest(f"unknown family {arguments.family!r}; choose one of: {', '.join(FAMILIES)}")
    family = FAMILIES[arguments.family]
    write = _published if family.published else _trained
    write(family, arguments.out or (GRAPHS if family.published else WEIGHTS) / family.name, arguments)


def _chosen(family: Family, asked: list[str], known: list[str], out: Path) -> list[str]:
    names = known if asked in (["all"], ["missing"]) else asked
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidRequest(f"{family.name} has no network {unknown[0]!r}; choose one of: {', '.join(known)}")
    return [name for name in names if asked != ["missing"] or not (out / f"{name}.onnx").exists()]


def _trained(family: Family, out: Path, arguments: argparse.Namespace) -> None:
    from export import specs, sums
    from export.networks import MODULES, module, trained, untrained
    from export.sharing import shared
    from export.text_encoder import TOKENIZER, model_folder
    from export.to_onnx import graph, write

    names = _chosen(family, arguments.networks, list(MODULES), out)
    if arguments.generator != GENERATOR and not arguments.trained:
        raise InvalidRequest(f"--generator {arguments.generator} is a stage of a folder; give that, too: --trained FOLDER")
    parts = trained(family, arguments.trained, arguments.generator) if arguments.trained else untrained(family)
    for name in names:
        path, made = out / f"{name}.onnx", graph(module(parts, name), specs.network(family, name))
        if name in specs.WEIGHTS_OF:
            partial = path.with_suffix(".partial")
            partial.write_bytes(shared(made, out / f"{specs.WEIGHTS_OF[name]}.onnx").SerializeToString())
            partial.replace(path)
        else:
            write(made, path)
        written = [path, path.with_suffix(".safetensors")]
        if name == "text_encoder":
            shutil.copyfile(model_folder() / TOKENIZER, out / TOKENIZER)
            written.append(out / TOKENIZER)
        sums.put([file for file in written if file.exists()])
        print(f"{name:20} {path}", flush=True)


def _published(family: Family, out: Path, arguments: argparse.Namespace) -> None:
    from export import large, published, room, specs
    from export.loaders.formats import Brought, bring

    changes, found = [_change(text) for text in arguments.lora], Brought({}, {})
    if arguments.weights:
        found = bring(family, arguments.weights, changes, noncommercial=arguments.accept_noncommercial, plus=arguments.faceid_plus)
    elif changes:
        raise InvalidRequest("--lora changes weights; give those, too: --weights FILE")
    known = published.names(family)
    if arguments.networks in (["all"], ["missing"]) and arguments.weights:  # as far as the weights go
        known = [name for name in known if set(published.components_of(family, name)) <= found.weights.keys()]
    names = _chosen(family, arguments.networks, known, out)
    if names and not arguments.weights:
        print("no --weights were given: random ones are taken, which are for measuring and make no portraits", file=sys.stderr)
    for name in names:
        began, path = time.monotonic(), out / f"{name}.onnx"
        out.mkdir(parents=True, exist_ok=True)
        room.check(name, room.EXPORT, published.size_of(family, name, arguments.precision), out)
        network = published.module(family, name, found.weights or None, arguments.precision, found.variants)
        licences = {part: found.licences[part] for part in published.components_of(family, name) if part in found.licences}
        large.write(network, specs.network(family, name), path, licences)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name:24} {path}  {time.monotonic() - began:.0f} s, {peak:.1f} GiB at most so far", flush=True)
        for part, licence in licences.items():
            print(f"{'':24} {part}: {licence}", flush=True)


def _change(text: str) -> tuple[Path, float]:
    """A file and how strongly it is merged in."""
    file, _, strength = text.rpartition("=")
    try:
        return Path(file), float(strength)
    except ValueError:
        raise InvalidRequest(f"--lora is {text!r}; wanted FILE=STRENGTH, as in style.safetensors=0.8") from None


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

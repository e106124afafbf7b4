"""`python -m training.mini STAGE`: train the mini family, a stage at a time."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from export.errors import ExportError
from training.mini.errors import InvalidRequest, MiniError
from training.people.errors import PeopleError

OUT, SMOKE_OUT = Path("out/mini"), Path("out/mini-smoke")
STAGE_NAMES = (
    *(
        "pictures",
        "autoencoder",
        "decoder",
        "corpus",
        "expression",
        "even",
        "light",
        "overlay",
        "clothes",
        "base",
        "generator",
        "characters",
        "shading",
        "guided",
    ),
    *("other-shot", "same-shot", "harmonizer", "parsing"),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.mini",
        description="Train the mini family. A stage goes on where it stopped when it is given again.",
        epilog="Stages, in their order: " + ", ".join(STAGE_NAMES) + ". `all` runs one after the other.",
    )
    parser.add_argument("stage", metavar="STAGE", help="one of the stages below, or `all`")
    parser.add_argument("--out", type=Path, help=f"folder of everything (default: {OUT}, or {SMOKE_OUT} with --smoke)")
    parser.add_argument("--minutes", type=float, help="stop a stage after about so long, with a checkpoint")
    parser.add_argument("--cores", type=int, help="how many processes render or train, a core each (default: all cores, 1 with --smoke)")
    parser.add_argument("--compile", action="store_true", help="compile the networks first: takes minutes, worth it for long runs (default: off)")
    parser.add_argument("--smoke", action="store_true", help="two steps of narrow networks on a handful of pictures: shows that it all runs")
    return parser


def _train(arguments: argparse.Namespace) -> None:
    import torch

    from training.mini import team
    from training.mini.settings import Settings, smoke
    from training.mini.stages import STAGES, TOGETHER, Workshop, run

    if arguments.stage not in (*STAGES, "all"):
        raise InvalidRequest(f"unknown stage {arguments.stage!r}; choose one of: {', '.join(STAGES)}, all")
    for name in ("minutes", "cores"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            raise InvalidRequest(f"{name} is {value:g}, it must be above 0")
    there = len(os.sched_getaffinity(0))
    cores = arguments.cores or (1 if arguments.smoke else there)
    if cores > there:
        raise InvalidRequest(f"cores is {cores}; this machine has {there}")
    folder = arguments.out or (SMOKE_OUT if arguments.smoke else OUT)
    shop = Workshop(folder, smoke() if arguments.smoke else Settings(), arguments.minutes, cores=cores, compiled=arguments.compile)
    for name in STAGES if arguments.stage == "all" else [arguments.stage]:
        print(f"{name}: {STAGES[name][0]}", flush=True)
        torch.set_num_threads(cores)
        team.run(cores if name in TOGETHER else 1, run, name, shop)
    print(f"done; see {folder}")


def main(argv: Sequence[str] | None = None) -> int:
    """0 on success, 2 for a bad request, 1 for anything else that the user can mend."""
    arguments = _parser().parse_args(argv)
    try:
        _train(arguments)
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (MiniError, PeopleError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m gpu_check`: builds, checks and measures on this machine's GPU, and writes out/gpu-check/report.md and report.json."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engines import tensorrt
from engines.build import family_named
from engines.device import device
from engines.errors import EngineError, InvalidRequest
from gpu_check.networks import TIMES
from gpu_check.report import take, write
from gpu_check.steps import CPU, STEPS, Setting

OUT, ENGINES = Path("out/gpu-check"), Path("build/engines")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu_check", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--target", default=tensorrt.DATA_CENTER, choices=tensorrt.MODULES, help=f"default: {tensorrt.DATA_CENTER}")
    which.add_argument("--dry-run", action="store_true", help="the same steps with the target cpu, without a GPU")
    parser.add_argument("--family", default="mini", help="default: mini")
    parser.add_argument("--only", nargs="+", metavar="STEP", help=f"of: {', '.join(step.name for step in STEPS)} (default: all)")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps of a portrait (default: 20)")
    parser.add_argument("--portraits", type=int, default=10, help="of every client and way (default: 10)")
    parser.add_argument("--calls", type=int, default=TIMES, help=f"of every engine, to time it (default: {TIMES})")
    parser.add_argument("--clients", type=int, nargs="+", metavar="N", help="so many at once, one measurement each (default: 1 2 4 8)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of the report (default: {OUT})")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """0 where no step failed; 1 where one did, or there is no GPU; 2 for a bad request."""
    given = _parser().parse_args(argv)
    known = {step.name: step for step in STEPS}
    try:
        for name in given.only or ():
            if name not in known:
                raise InvalidRequest(f"unknown step {name!r}; choose one of: {', '.join(known)}")
        least = (("steps", given.steps, 1), ("portraits", given.portraits, 1), ("calls", given.calls, 2), ("clients", min(given.clients or [1]), 1))
        for name, value, wanted in least:
            if value < wanted:
                raise InvalidRequest(f"{name} is {value}; it must be {wanted} or more")
        setting = Setting(CPU if given.dry_run else given.target, family_named(given.family), ENGINES, given.steps, given.portraits, given.calls)
        if not given.dry_run:
            device()
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except EngineError as error:
        print(f"error: {error}; without one, `python -m gpu_check --dry-run` goes through the same steps on the CPU", file=sys.stderr)
        return 1
    setting = replace(setting, clients=tuple(given.clients or setting.clients), bench=given.out / "bench.json")
    results = []
    for result in take([known[name] for name in given.only or known], setting, lambda said: print(said, flush=True)):
        results.append(result)
        write(results, setting, given.out)  # after every step: what was found stays, whatever becomes of the rest
    failed = [result.name for result in results if result.state == "failed"]
    print(f"{given.out / 'report.md'} and report.json beside it; failed: {', '.join(failed) or 'nothing'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

"""A plan by a process of its own, whose end, memory and words are told; `python -m engines.plans` is that process."""

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

from engines import tensorrt
from engines.errors import BuildFailed, EngineError
from engines.half import halved
from engines.sources import SHARED
from export import specs
from export.families import FAMILIES
from export.tensors import Network

LAST_WORDS = 600  # characters of a builder's output that an error repeats


def build(target: str, precision: str, family: str, graph: Path, out: Path, network: Network) -> int:
    """Write the plan; returns the most memory that building took, bytes. Raises BuildFailed, also where the builder crashes."""
    with tempfile.TemporaryDirectory(prefix="partial-", dir=out.parent) as folder:  # not the builder's own: it may crash
        half = Path(folder) / "half.onnx"
        command = [sys.executable, "-W", "ignore", "-m", "engines.plans", target, precision, family, network.name]
        command += [str(graph), str(half), str(out)]
        if (timing := tensorrt.timing_file(out.parents[1], target)) is not None:
            command += ["--timing", str(timing)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise BuildFailed(f"{network.name}: the builder of {target} crashed ({name}); it said: {done.stderr[-LAST_WORDS:].strip() or 'nothing'}")
    if done.returncode:
        raise BuildFailed(f"{network.name} for {target}: {done.stderr[-LAST_WORDS:].strip()}")
    with out.open("rb") as plan:
        begins = plan.read(len(tensorrt.MAGIC[target]))
    if begins != tensorrt.MAGIC[target]:
        raise BuildFailed(f"{network.name}: what {target} wrote does not begin as a plan")
    return int(json.loads(done.stdout.splitlines()[-1])["peak_bytes"])


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("target", "precision", "family", "network"):
        parser.add_argument(name)
    for name in ("graph", "half", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--timing", type=Path)
    given = parser.parse_args()
    try:
        family, graph = FAMILIES[given.family], given.graph
        if not family.published or given.network in SHARED:  # others were exported in the precision that they shall have
            onnx.save(halved(given.graph), str(given.half))
            graph = given.half
        given.out.write_bytes(tensorrt.plan(given.target, graph, specs.network(family, given.network), given.precision, given.timing))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

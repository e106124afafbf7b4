"""A plan by a process of its own, whose end, memory and words are told; `python -m engines.plans` is that process."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import onnx

from engines import repeatable, tensorrt
from engines.errors import BuildFailed, EngineError
from engines.half import halved
from engines.sidecar import Made
from engines.sources import SHARED
from export import specs
from export.families import FAMILIES
from export.tensors import Network

ROOT = Path(__file__).resolve().parents[1]
LAST_WORDS = 600  # characters of a builder's output that an error repeats


def build(target: str, precision: str, family: str, graph: Path, out: Path, network: Network) -> Made:
    """Write the plan; for TensorRT-RTX, to the same bytes each time. Raises BuildFailed, also where the builder crashes."""
    way, environment = (repeatable.way(), repeatable.environment()) if target == tensorrt.RTX else (repeatable.Way(), dict(os.environ))
    timing = tensorrt.timing_file(out.parents[1], target)
    with tempfile.TemporaryDirectory(prefix="partial-", dir=out.parent) as folder:  # not the builder's own: it may crash
        source, plan = Path(folder) / "source", Path(folder) / "model.plan"
        if not FAMILIES[family].published or network.name in SHARED:  # others were exported in the precision that they shall have
            source.mkdir()
            onnx.save(halved(graph), str(source / graph.name))
        else:
            source.symlink_to(graph.parent.resolve())
        ran = [sys.executable, "-P", "-W", "ignore", "-m", "engines.plans", target, precision, family, network.name]
        ran += [f"{source.name}/{graph.name}", plan.name] + ([] if timing is None else ["--timing", str(timing.resolve())])
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run([*way.prefix, *ran], capture_output=True, text=True, cwd=folder, env=environment, check=False)
        if done.returncode < 0:
            name = signal.Signals(-done.returncode).name
            raise BuildFailed(f"{network.name}: the builder of {target} crashed ({name}); it said: {done.stderr[-LAST_WORDS:].strip() or 'nothing'}")
        if done.returncode:
            raise BuildFailed(f"{network.name} for {target}: {done.stderr[-LAST_WORDS:].strip()}")
        with plan.open("rb") as file:
            begins = file.read(len(tensorrt.MAGIC[target]))
        if begins != tensorrt.MAGIC[target]:
            raise BuildFailed(f"{network.name}: what {target} wrote does not begin as a plan")
        plan.replace(out)
    return Made(int(json.loads(done.stdout.splitlines()[-1])["peak_bytes"]), way.refused)


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("target", "precision", "family", "network"):
        parser.add_argument(name)
    for name in ("graph", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--timing", type=Path)
    given = parser.parse_args()
    network = specs.network(FAMILIES[given.family], given.network)
    try:
        with ThreadPoolExecutor(1) as thread:  # whose stack does not lie behind the environment, as the first one's does
            if given.target == tensorrt.RTX:
                repeatable.settled(tensorrt.MODULES[given.target])
                thread.submit(repeatable.come_last).result()
            given.out.write_bytes(thread.submit(tensorrt.plan, given.target, given.graph, network, given.precision, given.timing).result())
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    most = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"peak_bytes": int(most) * 1024}))  # the most of this process alone, not of the one that it was forked from
    return 0


if __name__ == "__main__":
    sys.exit(main())

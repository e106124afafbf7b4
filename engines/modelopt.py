"""A graph with every layer quantized, by NVIDIA's Model Optimizer in its own environment; `python -m engines.modelopt` is the process there."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from engines.errors import BuildFailed, MissingPiece

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-quantize" / "bin" / "python"
VERSION = "nvidia-modelopt 0.47.0"  # as requirements/apart/quantize.txt has it
METHOD = "max"
"""Calibration: the largest number that was seen is the largest that can be said. Of the mini family's UNet in INT8 `entropy` was no better."""
LAST_WORDS = 600  # characters of its output that an error repeats


def quantize(graph: Path, calibration: Path, out: Path, precision: str, nodes: list[str]) -> None:
    """Write `graph` with the inputs and weights of `nodes` quantized. `calibration`: an npz of every input, [n, ...].

    Raises MissingPiece without the environment, BuildFailed with Model Optimizer's last words.
    """
    if not PYTHON.exists():
        raise MissingPiece("there is no .venv-quantize, the environment of Model Optimizer; run `make quantize`, which makes it")
    command = [str(PYTHON), "-W", "ignore", "-m", "engines.modelopt", str(graph), str(calibration), str(out), precision]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, input=json.dumps(nodes), check=False)
    if done.returncode or not out.exists():
        raise BuildFailed(f"{graph.stem} in {precision}: Model Optimizer ended with code {done.returncode}: {done.stderr[-LAST_WORDS:].strip()}")


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("graph", "calibration", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("precision")
    given = parser.parse_args()
    import numpy as np
    from modelopt.onnx.quantization import quantize as by_modelopt

    by_modelopt(
        str(given.graph),
        quantize_mode=given.precision,
        calibration_data=dict(np.load(given.calibration)),
        calibration_method=METHOD,
        calibration_eps=["cpu"],
        output_path=str(given.out),
        high_precision_dtype="fp32",  # made half by ourselves, as every other graph
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
        nodes_to_quantize=json.load(sys.stdin),
        enable_gemv_detection_for_trt=False,  # which nodes are worth it is not its choice here
        log_level="ERROR",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

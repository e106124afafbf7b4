"""`python -m export.parity`: every network by two runtimes on the same numbers, at several shapes, into docs/parity.md."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import nn

from export import specs
from export.errors import ExportError
from export.face_models import clean_models, detector_graph, identity_graph
from export.families import FAMILIES, Family
from export.identity_encoder import IdentityEncoder
from export.networks import MODULES, Parts, module, trained, untrained
from export.tensors import Axis, Network
from export.to_onnx import example, graph, halves, write

Floats = npt.NDArray[np.float32]
Reference = Callable[[list[torch.Tensor]], list[Floats]]
REPOSITORY = Path(__file__).resolve().parents[1]
PAGE, WEIGHTS = REPOSITORY / "docs" / "parity.md", REPOSITORY / "weights"
BATCHES = (1, 2, 5)
MOST = 1e-3  # of an output's largest number, with weights as in the file. What samples between random pixels has up to 8.9e-4, others 5e-5
SPREAD = 0.05  # deviation of weights that begin as zeros


@dataclass(frozen=True)
class Row:
    """`same`: largest difference over the largest number of the outputs, both runtimes with the file's weights; `full`: torch with unrounded ones."""

    network: str
    batch: int
    against: str
    same: float
    full: float | None


@torch.no_grad()
def awake(parts: Parts, seed: int = 0) -> Parts:
    """No parameter is all zeros: a ControlNet whose way out is zero would agree with anything."""
    draw = torch.Generator().manual_seed(seed)
    for part in (parts.autoencoder, parts.generator, parts.shading, parts.guided, parts.harmonizer):
        for parameter in part.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=draw) * SPREAD)
    return parts


@contextlib.contextmanager
def rounded(network: nn.Module) -> Iterator[None]:
    """While it lasts, the network's matrices are as in the file: they went through half precision."""
    kept = [(parameter, parameter.detach().clone()) for parameter in network.parameters() if halves(parameter)]
    for parameter, value in kept:
        parameter.data.copy_(value.half().float())
    yield
    for parameter, value in kept:
        parameter.data.copy_(value)


def compared(family: Family, parts: Parts, folder: Path) -> Iterator[Row]:
    """All networks, one after another."""
    for name in MODULES:
        network, spec, path = module(parts, name), specs.network(family, name), folder / f"{name}.onnx"
        write(graph(network, spec), path)
        yield from _rows(spec, path, "torch", _by_torch(network, file=True), _by_torch(network))
    sface = IdentityOfUnitLength(IdentityEncoder(clean_models()[1]))
    yield from _rows(specs.network(family, "identity_encoder"), identity_graph(), "torch", _by_torch(sface), None)
    yield from _rows(specs.network(family, "face_detector"), detector_graph(), "OpenCV", _by_opencv(clean_models()[0], family, "face_detector"), None)
    for name in ("face_landmarks", "person_mask"):
        path = WEIGHTS / family.name / f"{name}.onnx"
        yield from _rows(specs.network(family, name), path, "OpenCV", _by_opencv(path, family, name), None)


class IdentityOfUnitLength(nn.Module):
    """As the graph, which divides by the length."""

    def __init__(self, encoder: IdentityEncoder) -> None:
        super().__init__()
        self.encoder = encoder.eval()

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self.encoder(faces), dim=1)


def _rows(spec: Network, path: Path, against: str, same: Reference, full: Reference | None) -> Iterator[Row]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fixed = not isinstance(spec.inputs[0].dims[0], Axis)
    for seed, batch in enumerate(BATCHES):
        given = example(spec, {"batch": batch}, seed)
        names = [tensor.name for tensor in spec.inputs]
        found = session.run([tensor.name for tensor in spec.outputs], {name: value.numpy() for name, value in zip(names, given, strict=True)})
        yield Row(
            spec.name,
            given[0].shape[0] if fixed else batch,
            against,
            _apart(found, same(given)),
            None if full is None else _apart(found, full(given)),
        )


def _apart(found: list[Floats], wanted: list[Floats]) -> float:
    return max(float(np.abs(one - other).max() / max(float(np.abs(other).max()), 1e-6)) for one, other in zip(found, wanted, strict=True))


def _by_torch(network: nn.Module, *, file: bool = False) -> Reference:
    @torch.no_grad()
    def run(given: list[torch.Tensor]) -> list[Floats]:
        with rounded(network) if file else contextlib.nullcontext():
            found = network(*given)
        return [value.numpy() for value in (found if isinstance(found, tuple) else (found,))]

    return run


def _by_opencv(graph: Path, family: Family, name: str) -> Reference:
    """Of a network that has no torch module: OpenCV's own runtime on the same graph."""
    network = cv2.dnn.readNetFromONNX(str(graph))
    outputs = [tensor.name for tensor in specs.network(family, name).outputs]

    def run(given: list[torch.Tensor]) -> list[Floats]:
        network.setInput(given[0].numpy())
        return [np.asarray(value, np.float32) for value in network.forward(outputs)]

    return run


def page(rows: list[Row], weights: str) -> str:
    lines = [
        "# Parity",
        "",
        "Written by `make parity`. Every network by ONNX Runtime and by another runtime on the same random inputs: the largest difference",
        f"over the largest number of the outputs. Weights: {weights}; parameters that begin as zeros, like a ControlNet's way out, are made",
        "random first, or they would agree with anything. Matrices lie in half precision in the file: *same weights* gives torch the rounded",
        "ones, so it is the graph that is judged; *full precision* gives torch those from before the rounding. Networks that nobody here",
        "trained have no torch module (but SFace): OpenCV runs the same graph, at their one shape, on three inputs.",
        "",
        "| network | batch | against | same weights | full precision |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| `{r.network}` | {r.batch} | {r.against} | {r.same:.1e} | {'' if r.full is None else f'{r.full:.1e}'} |" for r in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """0; 1 where a network disagrees, or for what the user can mend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="mini", choices=FAMILIES)
    parser.add_argument("--trained", type=Path, help="folder of `python -m training.mini`; without it the weights are random")
    parser.add_argument("--out", type=Path, default=PAGE, help="default: docs/parity.md")
    given = parser.parse_args()
    family = FAMILIES[given.family]
    torch.manual_seed(0)
    try:
        parts = awake(trained(family, given.trained) if given.trained else untrained(family))
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            for row in compared(family, parts, Path(folder)):
                print(f"{row.network:20} batch {row.batch}  {row.same:.1e}", flush=True)  # noqa: T201
                rows.append(row)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    given.out.write_text(page(rows, "those of training" if given.trained else "random"))
    worst = max(rows, key=lambda row: row.same if row.same == row.same else np.inf)
    print(f"worst: {worst.network} at batch {worst.batch}, {worst.same:.1e}; wanted {MOST:.0e} or less")  # noqa: T201
    return int(not worst.same <= MOST)


if __name__ == "__main__":
    sys.exit(main())

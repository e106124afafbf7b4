"""The folder of backends the embedded server runs from: Triton's Python backend out of the wheel, and ours beside it.

Where OMOKAGE_TRITON names the folder of another Triton, like /opt/tritonserver in NVIDIA's container, that one is run, with its TensorRT backend.
"""

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from server_config.errors import MissingPiece

BACKENDS = Path(__file__).parent / "backends"
INSTALL = "run `make setup`"
ELSEWHERE = "OMOKAGE_TRITON"
CPU, TENSORRT = "cpu", "tensorrt"
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(2**20), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
"""mallopt(3), unless whoever starts the server says otherwise. Two heaps, not one for each thread, which a process fills for hours. What is large
goes back to the system at once, or Triton's own process grows by what many requests at once ever took; where arrays are computed with, it is
kept (`keep_pages` of client/omokage/engine.py): giving it back and asking for it anew takes 3 % of a portrait's time."""


@dataclass(frozen=True)
class Triton:
    """What the wheel `nvidia-pytriton` brings, of which only the binary and the Python backend are used; `target`: whose configs are served."""

    binary: Path
    caches: Path
    libraries: Path
    python_backend: Path
    stub: Path
    target: str = CPU


def find_triton() -> Triton:
    """Raises MissingPiece where the wheel is not installed, has no stub for this Python, or numpy is one its stubs cannot read."""
    if elsewhere := os.environ.get(ELSEWHERE):
        return _elsewhere(Path(elsewhere))
    import numpy

    if int(numpy.__version__.split(".")[0]) >= 2:
        raise MissingPiece(f"numpy is {numpy.__version__}: Triton's Python stubs would hand on empty tensors; wanted below 2, {INSTALL}")
    found = find_spec("pytriton")
    if found is None or found.origin is None:
        raise MissingPiece(f"nvidia-pytriton is not installed, it carries tritonserver; {INSTALL}")
    root = Path(found.origin).parent / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    triton = Triton(
        binary=root / "bin" / "tritonserver",
        caches=root / "caches",
        libraries=root.parents[1] / "nvidia_pytriton.libs",
        python_backend=root / "backends" / "python",
        stub=root / "python_backend_stubs" / version / "triton_python_backend_stub",
    )
    if not triton.stub.exists():
        raise MissingPiece(f"nvidia-pytriton has no stub for Python {version}; use 3.11")
    return triton


def _elsewhere(root: Path) -> Triton:
    """Not run: a Triton with a TensorRT backend was not at hand."""
    python = root / "backends" / "python"
    stub = python / "triton_python_backend_stub"
    triton = Triton(root / "bin" / "tritonserver", root / "caches", root / "lib", python, stub, TENSORRT)
    for wanted in (triton.binary, stub, root / "backends" / TENSORRT):
        if not wanted.exists():
            raise MissingPiece(f"{ELSEWHERE} is {root}, which has no {wanted.relative_to(root)}; give the folder of a Triton with a TensorRT backend")
    return triton


def lay_out(folder: Path, triton: Triton) -> Path:
    """Make the folder of backends. The library is copied: Triton refuses one that is a link out of its backend's folder."""
    python = folder / "python"
    python.mkdir(parents=True)
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        shutil.copy(triton.python_backend / name, python / name)
    (python / triton.stub.name).symlink_to(triton.stub)
    if triton.target == TENSORRT:
        shutil.copytree(triton.python_backend.parent / TENSORRT, folder / TENSORRT)
    for backend in BACKENDS.iterdir():
        if (backend / "model.py").exists():
            shutil.copytree(backend, folder / backend.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def environment(triton: Triton, base: dict[str, str]) -> dict[str, str]:
    """The server's environment: its stubs find this virtual environment by PATH, and this Python's own library before the system's."""
    libraries = [str(sysconfig.get_config_var("LIBDIR")), str(triton.libraries)]
    kept = {name: value for name, value in base.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    own = {"PATH": f"{Path(sys.executable).parent}:{base.get('PATH', '')}", "LD_LIBRARY_PATH": ":".join(libraries)}
    return MALLOC | kept | own

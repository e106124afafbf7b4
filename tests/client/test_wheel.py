"""The wheel: the client and nothing else, typed, with four dependencies."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_holds_the_client_its_types_and_its_command(tmp_path: Path) -> None:
    source = tmp_path / "source"  # building leaves files beside what it builds
    shutil.copytree(REPOSITORY / "client", source / "client", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("omokage-*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        metadata = files.read(next(name for name in names if name.endswith("METADATA"))).decode()
        entry = files.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"omokage"}
    assert "omokage/py.typed" in names
    assert "omokage/systems/crossfaceid.py" in names
    needed = {
        line.split(": ")[1].split(">")[0].split("[")[0]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    }
    assert needed == {"numpy", "pillow", "safetensors", "tritonclient"}
    assert "omokage = omokage.__main__:main" in entry

"""Imports go one way: training and engines may import export, what runs on the server may import the client, the client imports nobody."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ALLOWED: dict[str, set[str]] = {
    "training": {"training", "export", "omokage"},
    "export": {"export"},
    "engines": {"export", "engines"},
    "client": {"omokage"},
    "model_repository": {"omokage"},
    "server_config": {"server_config", "omokage"},
    "scripts": {"server_config", "omokage"},
    "gpu_check": {"gpu_check", "measure", "engines", "export", "server_config", "omokage"},
    "measure": {"measure", "server_config", "training", "engines", "export", "omokage"},
}
OURS = {"gpu_check", "measure", "training", "export", "engines", "omokage", "server_config"}


def imported(file: Path) -> set[str]:
    """Top-level names of the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("layer", [layer for layer in ALLOWED if (REPOSITORY / layer).is_dir()])
def test_imports_point_one_way(layer: str) -> None:
    files = list((REPOSITORY / layer).rglob("*.py"))
    assert files
    for file in files:
        assert imported(file) & OURS <= ALLOWED[layer], file

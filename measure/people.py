"""People that nobody trained on, drawn for the evaluation: a shot to enrol by, one to ask for, one to compare with."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omokage.faces import Image

from training.people import farm, plan, prepare, splits
from training.people.loader import Dataset

SHOTS = ("enrolled", "asked", "compared")
LEFT_TO_THE_FACE = ("who", "hair", "skin", "eyes", "beard", "makeup")
"""Statements that would tell in words what the face is to tell."""
LEADS = {"background": "in front of a {}", "outfit": "wearing {}", "hat": "wearing {}", "glasses": "wearing {}", "earrings": "wearing {}"}


@dataclass(frozen=True)
class Shown:
    """One picture of a person with its truth."""

    image: Image  # [256, 256, 3] RGB
    record: dict[str, Any]


@dataclass(frozen=True)
class Sitter:
    """A held-out person."""

    seed: int
    group: str  # of the phenotype
    enrolled: Shown
    asked: Shown
    compared: Shown
    more: tuple[Shown, ...] = ()  # to enrol by, too

    @property
    def words(self) -> str:
        """What the asked picture shows and the face does not tell: pose, expression, clothes, light, background."""
        said = {about: words for about, words in self.asked.record["captions"]["statements"].items() if about not in LEFT_TO_THE_FACE}
        return ", ".join(["a portrait of a person", *(LEADS.get(about, "{}").format(words) for about, words in said.items())])


def sitters(folder: Path, count: int, *, split: str = "test", more: int = 0, quiet: bool = False) -> list[Sitter]:
    """The first so many people of a split, drawn into `folder` where they are not there yet, with so many `more` shots to enrol by."""
    prepare.prepare()
    wanted = plan.Plan("shots", splits.SPLITS[split].start, count, len(SHOTS) + more, 256, plan.renderer_digest())
    farm.render(folder, wanted, quiet=quiet)
    data = Dataset(folder)
    rows = sorted(data.rows, key=lambda row: [int(number) for number in re.findall(r"\d+", row.key)])
    shown = [Shown(data.image(row), data.record(row)) for row in rows]
    found = []
    for place in range(0, len(shown), len(SHOTS) + more):
        shots = shown[place : place + len(SHOTS) + more]
        who = shots[0].record["person"]
        assert {one.record["person"]["seed"] for one in shots} == {who["seed"]}
        found.append(Sitter(who["seed"], who["group"], shots[0], shots[1], shots[2], tuple(shots[len(SHOTS) :])))
    return found

"""People who are learned for the evaluation, as `omokage enroll --personal` does it; kept as files."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omokage import personal
from omokage.errors import InvalidRequest
from omokage.passport import Passport
from omokage.texts import text
from tqdm import tqdm

from measure.graded import png
from measure.people import Sitter
from measure.portraits import Ask, Portrait, portrait
from measure.studio import Studio, enrolled

PHOTOS = 5


@dataclass(frozen=True)
class Learned:
    """A person with the passport of five photos, learned as served; and learned without what the photos show in words. `among`: a folder's name, of
    how many people and steps: whose picture is taken depends on the one, and portraits on the other."""

    sitter: Sitter
    passport: Passport
    wordless: Passport
    among: str


def accepted(studio: Studio, people: Sequence[Sitter], count: int) -> list[Sitter]:
    """The first so many whose photos are not refused as those of different people."""
    found: list[Sitter] = []
    for sitter in people:
        if len(found) < count:
            with contextlib.suppress(InvalidRequest):
                enrolled(studio.runtime, sitter, PHOTOS)
                found.append(sitter)
    return found


def learned(studio: Studio, people: Sequence[Sitter], steps: int) -> list[Learned]:
    """Kept as files."""
    among = f"{len(people)}-by-{steps}"
    return [
        Learned(sitter, _passport(studio, sitter, steps, True), _passport(studio, sitter, steps, False), among)
        for sitter in tqdm(people, "learned", unit="person", mininterval=5)
    ]


def made(studio: Studio, system: str, tag: str, words: str, one: Learned, pictures: Mapping[str, bytes], **more: Any) -> Portrait:
    """`more`: knobs, and another passport or seed than the person's."""
    knobs = {"steps": studio.steps, **more.pop("knobs", {})}
    name = f"{system}/{studio.steps}/{one.among}/{tag}/{one.sitter.seed}"
    ask = Ask(name, system, words, more.pop("passport", one.passport), more.pop("seed", one.sitter.seed), knobs, pictures=pictures)
    return portrait(studio.runtime, ask, studio.folder)


def _passport(studio: Studio, sitter: Sitter, steps: int, said: bool) -> Passport:
    path = studio.folder / f"learned-{steps}" / f"{sitter.seed}{'' if said else '-wordless'}.passport"
    if path.exists():
        return Passport.load(path)
    runtime, photos = studio.runtime, [png(shown) for shown in (sitter.enrolled, *sitter.more)[:PHOTOS]]
    about = json.loads(runtime.infer("about", {"ask": text("")})["about"].flat[0])
    face = enrolled(runtime, sitter, PHOTOS).face
    school = personal.attended(runtime.infer, about, photos, face, steps, said=said)
    prior = personal.learned(runtime.infer, about, school, photos, None, lambda *_: None)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = Passport(family=runtime.family, face=face, prior=prior, generator=about["generator"])
    found.save(path)
    return found

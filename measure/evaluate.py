"""`make evaluate`: portraits of people nobody trained on, graded, as out/evaluate.json, docs/evaluation.md and sheets; resumable."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omokage.errors import InvalidRequest
from omokage.faces import Image
from omokage.passport import Passport
from omokage.personal import STEPS as STEPS_OF_A_PRIOR
from tqdm import tqdm

from export.families import FAMILIES
from measure import claims, pairs, personal, presets, report
from measure.fairness import by_axis
from measure.following import in_the_mean, shown, wishes
from measure.graded import Real, apart, graded, png, real, seconds, similarity
from measure.in_process import REPOSITORY
from measure.people import Sitter, sitters
from measure.studio import NOBODY, WAYS, WORK, Studio, enrolled, write_sheets
from training.people.plan import renderer_digest

OUT, PAGE = Path("out/evaluate.json"), Path("docs/evaluation.md")
STEPS = 20
COPY = "the photo itself"
"""The baseline of copying: the enrolled photo is taken for the portrait."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the second person, where two are mixed
PHOTOS = (1, 3, 5)  # that a passport is made of


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    people: int = 100
    wishes: int = 40  # portraits for each thing that is asked for in words
    preset_expressions: int = 100  # for each expression, by each preset: enough to tell a loss of a twentieth
    preset_others: int = 40
    some: int = 100  # people whose portraits are made by each preset, by several photos and by contexts that learned apart, too
    seeds: int = 4  # portraits of one person, to see how they differ
    several: int = 25  # people of whom there are so many
    pairs: int = 20  # of people mixed
    personal: int = 20  # people who are learned
    learned_steps: int = STEPS_OF_A_PRIOR


QUICK = Scale(
    people=20,
    wishes=2,
    preset_expressions=2,
    preset_others=1,
    some=6,
    seeds=2,
    several=2,
    pairs=2,
    personal=3,
    learned_steps=8,
)


def changed(scale: Scale, said: Sequence[str]) -> Scale:
    """With other numbers, each as NAME=N. Raises ValueError for another name, or less than the 2 that a mean and its error need."""
    for one in said:
        name, _, number = one.partition("=")
        if name not in asdict(scale) or not number.isdecimal() or int(number) < 2:
            raise ValueError(f"--set is {one!r}; wanted NAME=N, N 2 or more, NAME one of: {', '.join(asdict(scale))}")
        scale = replace(scale, **{name: int(number)})
    return scale


def evaluated(scale: Scale, steps: int, networks: Mapping[str, Path]) -> dict[str, Any]:
    """All numbers; `networks`: graphs that are taken instead of the served engines."""
    folder = WORK / f"people-{renderer_digest()[:12]}-{scale.people}-by-{max(PHOTOS)}"
    people = sitters(folder, scale.people, more=max(PHOTOS) - 1)
    studio = Studio(steps, networks)
    passports = [enrolled(studio.runtime, sitter) for sitter in tqdm(people, "enrolled", disable=not sys.stderr.isatty())]
    truth = real(studio.runtime, studio.graders, people, FAMILIES[studio.runtime.family].size)
    measured: dict[str, dict[str, Any]] = {}
    fairness: dict[str, Any] = {}
    rows: dict[str, list[Image]] = {}
    for way in WAYS:
        made = studio.many(way, [studio.ask(way, str(s.seed), s.words, p, s.seed, pose=png(s.asked)) for s, p in zip(people, passports, strict=True)])
        rows[way] = [one.pixels for one in made]
        measured[way], alike = graded(studio.graders, rows[way], truth)
        measured[way] |= _followed(studio, way, passports, scale) | {"background_psnr": None}
        measured[way]["diversity"] = _diversity(studio, way, people[: scale.several], passports, scale.seeds)
        measured[way]["seconds"] = seconds(made)
        fairness[way] = by_axis(people, alike.tolist())
    copies = [sitter.enrolled.image for sitter in people]
    measured[COPY], alike = graded(studio.graders, copies, truth)
    measured[COPY] |= _copied(studio, copies, scale)
    fairness[COPY] = by_axis(people, alike.tolist())
    systems, first = {name: measured[name] for name in WAYS if name != NOBODY}, scale.some
    by_prior = personal.measured(studio, people, scale.personal, scale.learned_steps)
    write_sheets(studio.folder / "edits", by_prior.pictures)
    claimed = _claims(systems, measured[NOBODY], _mixed(studio, passports, scale.pairs)) | _several(studio, people[:first], truth.first(first))
    claimed["crossfaceid: pairs"] = pairs.compared(people[:first], passports, truth.first(first), scale.preset_expressions, steps)
    write_sheets(studio.folder, {"enrolled": copies, "asked": [sitter.asked.image for sitter in people], **rows})
    return {
        "people": scale.people,
        "steps": steps,
        "scale": asdict(scale),
        "engines": studio.engines,
        "systems": systems | by_prior.systems,
        "baselines": {name: measured[name] for name in (NOBODY, COPY)} | by_prior.baselines,
        "presets": presets.compared(studio, people[:first], passports, truth.first(first), scale.preset_expressions, scale.preset_others),
        "claims": claimed | by_prior.claims,
        "fairness": {name: fairness[name] for name in (*systems, COPY)},
    }


def _followed(studio: Studio, way: str, passports: Sequence[Passport], scale: Scale) -> dict[str, Any]:
    """By words, no pose is given."""
    asked = wishes(scale.wishes, scale.wishes)
    return in_the_mean(asked, shown(studio.runtime, asked, [one.pixels for one in studio.wished(way, asked, passports)]))


def _copied(studio: Studio, copies: Sequence[Image], scale: Scale) -> dict[str, Any]:
    """What photos show of what is asked for, by chance."""
    asked = wishes(scale.wishes, scale.wishes)
    return in_the_mean(asked, shown(studio.runtime, asked, [copies[wish.number % len(copies)] for wish in asked]))


def _diversity(studio: Studio, way: str, people: Sequence[Sitter], passports: Sequence[Passport], seeds: int) -> float:
    """How much one person's portraits by the same words differ from seed to seed, without a pose: mean difference of pixels, 0 to 1."""
    found = []
    for sitter, passport in zip(people, passports, strict=False):
        asks = [studio.ask(way, f"seeds/{sitter.seed}-{k}", sitter.words, passport, k) for k in range(seeds)]
        found.append(apart([one.pixels for one in studio.many(f"{way}: seeds", asks)]))
    return round(float(np.mean(found)), 4)


def _mixed(studio: Studio, passports: Sequence[Passport], pairs: int) -> list[list[tuple[float, ...]]]:
    """By pair and share, how like the first person and the second a portrait is. A pair with a portrait without a face is left out."""
    found = []
    for k in range(pairs):
        one, other = passports[2 * k % len(passports)], passports[(2 * k + 1) % len(passports)]
        asks = [studio.ask("face-makeup", f"mixed/{k}-{s}", "a portrait of a person", one, k, other=other, knobs={"mix": s}) for s in SHARES]
        images = [made.pixels for made in studio.many("face-makeup: mixed", asks)]
        rows = [similarity(studio.graders, image, (one.face.identity, other.face.identity)) for image in images]
        whole = [row for row in rows if row is not None]
        found += [whole] if len(whole) == len(rows) else []
    return found


def _several(studio: Studio, people: Sequence[Sitter], truth: Real) -> dict[str, Any]:
    """The same portraits by face-makeup from passports of more and more photos; a person whose photos are refused is asked for by one."""
    likeness, refused = {}, {}
    for photos in PHOTOS:
        passports, refused[photos] = [], 0
        for sitter in people:
            try:
                passports.append(enrolled(studio.runtime, sitter, photos))
            except InvalidRequest:
                passports.append(enrolled(studio.runtime, sitter))
                refused[photos] += 1
        folder = "" if photos == 1 else f"photos-{photos}/"
        asks = [studio.ask("face-makeup", f"{folder}{s.seed}", s.words, p, s.seed, pose=png(s.asked)) for s, p in zip(people, passports, strict=True)]
        made = studio.many(f"face-makeup: {photos} photos", asks)
        likeness[photos] = graded(studio.graders, [one.pixels for one in made], truth)[0]["likeness"]
    return {"several photos": claims.more_photos(likeness, refused)}


def _claims(systems: Mapping[str, Any], nobody: Mapping[str, Any], mixed: list[list[tuple[float, ...]]]) -> dict[str, Any]:
    found = {name: claims.face_counts(systems, name, nobody) for name in systems}
    found["face-makeup: most likeness"] = claims.most_likeness(systems)
    if mixed:
        found["face-makeup: mixing"] = claims.mixing([[(row[0], row[1]) for row in rows] for rows in mixed], SHARES)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.evaluate", description=__doc__)
    parser.add_argument("--people", type=int, default=Scale().people, help=f"held-out people (default: {Scale().people})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.people} people, and less of the rest")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=N", help=f"another number of one of: {', '.join(asdict(QUICK))}")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--instead", nargs=2, action="append", default=[], metavar=("NETWORK", "GRAPH"), help="a graph in the place of an engine")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}; its tables go to {PAGE}, those of any other file beside it")
    given = parser.parse_args(argv)
    networks = {name: Path(graph) for name, graph in given.instead}
    for name, graph in networks.items():
        if not graph.is_file() or not (REPOSITORY / name).is_dir():
            parser.error(f"--instead {name} {graph}: wanted the name of an engine and an ONNX graph that is there")
    try:
        scale = changed(QUICK if given.quick else Scale(people=given.people), given.set)
    except ValueError as error:
        parser.error(str(error))
    found = evaluated(scale, given.steps, networks)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    page = report.page(found)
    (PAGE if given.out == OUT else given.out.with_suffix(".md")).write_text(page)
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())

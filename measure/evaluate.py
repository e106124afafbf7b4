"""`make evaluate`: portraits of people that nobody trained on, graded. Writes out/evaluate.json and a sheet; goes on where it was stopped."""

import argparse
import hashlib
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omokage.passport import Passport
from omokage.portrait import text
from omokage.pose import framed
from omokage.systems import SYSTEMS
from omokage.systems.base import Face
from tqdm import tqdm

from export.families import FAMILIES
from measure.following import followed, wishes
from measure.in_process import REPOSITORY, InProcess, Open, installed, session
from measure.likeness import Floats, by_group, likeness
from measure.people import Shown, Sitter, sitters
from measure.portraits import Ask, Portrait, portrait
from training.people.graders import Graders
from training.people.sheet import write_picture

OUT, WORK = Path("out/evaluate.json"), Path("out/evaluate")
STEPS = 20
SHEET = 64  # portraits of the sheet, the first ones: no picking
Real = dict[str, tuple[Floats, Floats]]
"""By recognizer, vectors [n, d] of the asked shots and of the compared ones."""
FOLLOWING, WISHES = "crossfaceid", 40  # the system that is to follow words, and how many portraits are asked of each thing
WORDS_ALONE = "words"
"""The baseline: crossfaceid's recipe without its face."""
WAYS: dict[str, tuple[str, dict[str, float]]] = {
    **{name: (name, {}) for name in SYSTEMS},
    WORDS_ALONE: ("crossfaceid", {"identity_scale": 0.0, "pose_scale": 0.0}),
}
"""What is graded: a system and its knobs, by name."""


def instead(networks: Mapping[str, Path]) -> Open:
    """The served engines, but of some networks these graphs: run as they are written, since quantized ones are changed by optimising."""
    served = installed()
    return lambda model: session(networks[model], level="ORT_ENABLE_BASIC") if model in networks else served(model)


def engines_digest(networks: Mapping[str, Path]) -> str:
    """Of all engines that are served, and of what is taken instead: portraits of others are not taken for theirs."""
    found = hashlib.sha256()
    for name, graph in sorted(networks.items()):
        found.update(name.encode() + graph.read_bytes())
    for engine in sorted(REPOSITORY.glob("*/1/model.onnx.json")):
        found.update(engine.read_bytes())
    return found.hexdigest()[:12]


def png(picture: Shown) -> bytes:
    return cv2.imencode(".png", picture.image[..., ::-1])[1].tobytes()


def enrolled(runtime: InProcess, sitter: Sitter) -> Passport:
    """By the way of every client. Raises NoFace."""
    found = runtime.infer("encode_person", {"photo": text(png(sitter.enrolled))})
    return Passport(family=runtime.family, face=Face(found["identity"], found["appearance"]))


def keypoints_wanted(runtime: InProcess, sitter: Sitter, size: int) -> Floats:
    """[5, 2] pixels of a portrait: the keypoints that recipes find in the asked shot and ask for; a detector's own error is not the portrait's."""
    found = runtime.infer("face_analysis", {"photo": text(png(sitter.asked))})
    height, width = sitter.asked.image.shape[:2]
    return framed(found["points"][0], found["box"][0], width, height) * size


def graded(graders: Graders, people: Sequence[Sitter], portraits: Sequence[Portrait], real: Real, wanted: Sequence[Floats]) -> dict[str, Any]:
    """One system's numbers; `real`: what `of_real_shots` found; `wanted`: where keypoints are to lie."""
    faces = [graders.detect(one.pixels) for one in portraits]
    pairs = list(zip(portraits, faces, strict=True))
    seen = {
        "sface": [None if face is None else graders.sface(one.pixels, face[1]) for one, face in pairs],
        "dlib": [None if face is None else graders.dlib(one.pixels, face[1]) for one, face in pairs],
    }
    apart = []
    for points, face in zip(wanted, faces, strict=True):
        if face is not None:
            apart.append(float(np.linalg.norm(face[1] - points, axis=1).mean() / np.linalg.norm(points[0] - points[1])))
    groups = [sitter.group for sitter in people]
    found: dict[str, Any] = {"faces": round(len(apart) / len(people), 4), "pose_error": round(statistics.median(apart), 4) if apart else None}
    for name, vectors in seen.items():
        asked, compared = real[name]
        found[name] = likeness(vectors, asked, compared, distance=name == "dlib").rounded()
        found[f"{name}_by_group"] = by_group(vectors, asked, compared, groups, distance=name == "dlib")
    found["seconds"] = round(statistics.median(one.seconds for one in portraits), 3)
    return found


def following(runtime: InProcess, passports: Sequence[Passport], steps: int, folder: Path) -> dict[str, float]:
    """Every wish of another person; no pose is given."""
    asked = wishes(min(WISHES, len(passports)))
    images = []
    for place, wish in enumerate(tqdm(asked, "following", unit="portrait", mininterval=5)):
        passport = passports[place % len(passports)]
        ask = Ask(f"following/{steps}/{place:04}", FOLLOWING, wish.words, passport, place, steps, {})
        images.append(portrait(runtime, ask, folder).pixels)
    return followed(runtime, asked, images)


def of_real_shots(graders: Graders, people: Sequence[Sitter]) -> Real:
    """By recognizer, vectors [n, d] of the asked shots and of the compared ones."""
    kinds = {"sface": graders.sface, "dlib": graders.dlib}
    found: dict[str, list[list[Any]]] = {name: [[], []] for name in kinds}
    for sitter in people:
        for place, shown in enumerate((sitter.asked, sitter.compared)):
            face = graders.detect(shown.image)
            points = np.array(shown.record["keypoints"], np.float32) if face is None else face[1]
            for name, see in kinds.items():
                found[name][place].append(see(shown.image, points))
    return {name: (np.stack(asked), np.stack(compared)) for name, (asked, compared) in found.items()}


def evaluated(count: int, steps: int, networks: Mapping[str, Path]) -> dict[str, Any]:
    """All numbers; `networks`: graphs that are taken instead of the served engines."""
    people = sitters(WORK / f"people-{count}", count)
    runtime, graders = InProcess(opening=instead(networks)), Graders()
    folder = WORK / engines_digest(networks)
    passports = [enrolled(runtime, sitter) for sitter in tqdm(people, "enrolled", disable=not sys.stderr.isatty())]
    real = of_real_shots(graders, people)
    wanted = [keypoints_wanted(runtime, sitter, FAMILIES[runtime.family].size) for sitter in people]
    found: dict[str, Any] = {"people": count, "steps": steps, "systems": {}}
    rows = []
    for name, (system, knobs) in WAYS.items():
        portraits = []
        for sitter, passport in tqdm(list(zip(people, passports, strict=True)), name, unit="portrait", mininterval=5):
            ask = Ask(f"{name}/{steps}/{sitter.seed}", system, sitter.words, passport, sitter.seed, steps, knobs, png(sitter.asked))
            portraits.append(portrait(runtime, ask, folder))
        found["systems"][name] = graded(graders, people, portraits, real, wanted)
        if name == FOLLOWING:
            found["following"] = following(runtime, passports, steps, folder)
        rows.append([one.pixels for one in portraits])
    shown = [[getattr(sitter, kind).image for sitter in people] for kind in ("enrolled", "asked")] + rows
    write_sheets(folder, shown)
    return found


def write_sheets(folder: Path, rows: list[list[Any]]) -> None:
    """Enrolled, asked and every system's portrait one below the other, eight people abreast; and the last system's portraits alone."""
    tiles = [[cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA) for image in row[:8]] for row in rows]
    write_picture(folder / "sheet.webp", np.concatenate([np.concatenate(row, 1) for row in tiles]))
    for name, row in zip(WAYS, rows[2:], strict=True):
        many = [cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA) for image in row[:SHEET]]
        many += [np.zeros_like(many[0])] * (-len(many) % 8)
        write_picture(folder / f"{name}.webp", np.concatenate([np.concatenate(many[k : k + 8], 1) for k in range(0, len(many), 8)]))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m measure.evaluate", description=__doc__)
    parser.add_argument("--people", type=int, default=100, help="held-out people (default: 100)")
    parser.add_argument("--quick", action="store_true", help="20 people")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--instead", nargs=2, action="append", default=[], metavar=("NETWORK", "GRAPH"), help="a graph in the place of an engine")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}")
    given = parser.parse_args(argv)
    networks = {name: Path(graph) for name, graph in given.instead}
    for name, graph in networks.items():
        if not graph.is_file() or not (REPOSITORY / name).is_dir():
            parser.error(f"--instead {name} {graph}: wanted the name of an engine and an ONNX graph that is there")
    found = evaluated(20 if given.quick else given.people, given.steps, networks)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n")
    for name, numbers in found["systems"].items():
        parts = [f"{kind} {numbers[kind]['normalised']:.3f} first {numbers[kind]['first']:.2f}" for kind in ("sface", "dlib")]
        print(f"{name:14} {' | '.join(parts)} | faces {numbers['faces']:.2f} pose {numbers['pose_error']} | {numbers['seconds']} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

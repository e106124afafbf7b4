"""Where portraits of an evaluation are made, by the engines that are served."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import omokage
from omokage.enrolment import Look, look, looked_at
from omokage.faces import Image
from omokage.passport import Passport
from omokage.presets import PRESETS
from omokage.system import STEPS, Face
from omokage.systems import BY_ONE_PHOTO
from omokage.texts import report_of, text
from tqdm import tqdm

from measure.following import Wish
from measure.graded import png
from measure.in_process import REPOSITORY, InProcess, Open, installed, session
from measure.people import Shown, Sitter
from measure.portraits import Ask, Portrait, portrait
from training.people.graders import Graders
from training.people.sheet import write_picture

WORK = Path("out/evaluate")
NOBODY = "words alone"
"""The baseline without a face: crossfaceid's recipe with nobody's."""
WAYS: dict[str, tuple[str, dict[str, object]]] = {
    **{name: (name, {}) for name in BY_ONE_PHOTO},
    NOBODY: ("crossfaceid", {"identity_scale": 0.0, "pose_scale": 0.0}),
}
"""What makes portraits: a system and its knobs, by name."""
USUAL: Mapping[str, object] = MappingProxyType({})
STRIDE = 7  # people between two who are asked for the same thing
SHEET = 64  # portraits of a sheet, the first ones: no picking


class Studio:
    """Makes portraits by the engines that are served, of some `networks` by other graphs, or finds them where they were made before."""

    def __init__(self, steps: int, networks: Mapping[str, Path]) -> None:
        self.runtime, self.graders, self.steps = InProcess(opening=instead(networks)), Graders(), steps
        self.engines = engines_digest(networks)
        self.folder = WORK / self.engines / recipes_digest()

    def many(self, name: str, asks: Sequence[Ask]) -> list[Portrait]:
        return [portrait(self.runtime, ask, self.folder) for ask in tqdm(asks, name, unit="portrait", mininterval=5)]

    def wished(
        self, way: str, asked: Sequence[Wish], passports: Sequence[Passport], knobs: Mapping[str, object] = USUAL, tag: str = "wishes"
    ) -> list[Portrait]:
        """Of each thing in words alone; the same people are asked for every thing. `tag`: the folder, another for other knobs than a preset."""
        people = [passports[STRIDE * wish.number % len(passports)] for wish in asked]
        asks = [
            self.ask(way, f"{tag}/of-{len(passports)}/{wish.about}-{wish.number}", wish.words, person, wish.number, knobs=knobs)
            for wish, person in zip(asked, people, strict=True)
        ]
        return self.many(f"{way}: words", asks)

    def preset(self, name: str) -> Mapping[str, object]:
        """A preset's knob; none for the one that says nothing, whose portraits are then those of its system."""
        return USUAL if not PRESETS[name] and self.steps == STEPS.default else {"preset": name}

    def ask(self, way: str, name: str, words: str, passport: Passport, seed: int, **more: Any) -> Ask:
        """`name` under the way's own folder; `more`: pose, knobs, other. A preset has steps of its own."""
        system, knobs = WAYS[way]
        knobs = {**knobs, **more.pop("knobs", {})}
        how = knobs.get("preset", self.steps)
        knobs = knobs if "preset" in knobs else knobs | {"steps": self.steps}
        return Ask(f"{way.replace(' ', '-')}/{how}/{name}", system, words, passport, seed, knobs, **more)


def instead(networks: Mapping[str, Path]) -> Open:
    """The served engines, but of some networks these graphs: run as they are written, since quantized ones are changed by optimising."""
    served = installed()
    return lambda model: session(networks[model], level="ORT_ENABLE_BASIC") if model in networks else served(model)


def engines_digest(networks: Mapping[str, Path]) -> str:
    """Of all engines that are served, and of what is taken instead: portraits of others are not taken for theirs."""
    found = hashlib.sha256()
    for name, graph in sorted(networks.items()):
        weights = graph.with_suffix(".safetensors")  # beside the graph, but where they are inside
        found.update(name.encode() + graph.read_bytes() + (weights.read_bytes() if weights.exists() else b""))
    for engine in sorted(REPOSITORY.glob("*/1/model.onnx.json")):
        found.update(engine.read_bytes())
    return found.hexdigest()[:12]


def recipes_digest(package: Path = Path(omokage.__file__).parent) -> str:
    """Of the code that makes portraits: those of other recipes are not taken for its own."""
    found = hashlib.sha256()
    for module in sorted(package.rglob("*.py")):
        found.update(str(module.relative_to(package)).encode() + module.read_bytes())
    return found.hexdigest()[:12]


def enrolled(runtime: InProcess, sitter: Sitter, photos: int = 1) -> Passport:
    """By so many photos. Raises what `by_photos` does."""
    return by_photos(runtime, (sitter.enrolled, *sitter.more)[:photos])


def by_photos(runtime: InProcess, photos: Sequence[Shown]) -> Passport:
    """A passport of photos of one person, made as clients do. Raises NoFace, and InvalidRequest for none, for too many, or for different people."""

    def see(photo: bytes) -> Look:
        found = runtime.infer("encode_person", {"photo": text(photo)})
        return look(Face.of(found), report_of(found))

    face, _ = looked_at(runtime.infer, [png(shown) for shown in photos], see)
    return Passport(family=runtime.family, face=face)


def write_sheets(folder: Path, rows: Mapping[str, list[Image]]) -> None:
    """All rows one below the other, eight people abreast; and the first portraits of every row alone, without picking."""
    tiles = {name: [cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA) for image in row[:SHEET]] for name, row in rows.items()}
    write_picture(folder / "sheet.webp", np.concatenate([np.concatenate(row[:8], 1) for row in tiles.values()]))
    for name, row in tiles.items():
        many = row + [np.zeros_like(row[0])] * (-len(row) % 8)
        write_picture(folder / f"{name.replace(' ', '-')}.webp", np.concatenate([np.concatenate(many[k : k + 8], 1) for k in range(0, len(many), 8)]))

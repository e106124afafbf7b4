"""How much less like the person fast portraits are, by people nobody trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from measure.bench.pipeline import Settings
from measure.bench.portrait import USUAL_STEPS
from measure.bench.presets import FAST, MISSING, preset
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.graded import png
from measure.in_process import InProcess
from measure.likeness import Floats, Seen, likeness
from measure.people import Sitter, sitters
from measure.portraits import Ask, portrait
from measure.studio import WORK, engines_digest, enrolled
from training.people.graders import Graders

SYSTEM = "crossfaceid"
USUAL: Mapping[str, Any] = {"steps": USUAL_STEPS, "sampler": Settings(USUAL_STEPS).sampler, "guidance": Settings(USUAL_STEPS).guidance}


def normalised(runtime: InProcess, graders: Graders, people: Sequence[Sitter], knobs: Mapping[str, Any], folder: Path) -> float:
    """Likeness by SFace of a portrait of each person, asked for with the pose of a second shot and compared with a third: 0 is what two strangers
    reach, 1 two shots of one person. `knobs`: what a request says, like a preset or steps."""
    asks = [
        Ask(f"{folder.name}/{one.seed}", SYSTEM, one.words, enrolled(runtime, one), one.seed, None, dict(knobs), pose=png(one.asked))
        for one in people
    ]
    made = [portrait(runtime, ask, folder.parent).pixels for ask in asks]
    faces = [(image, graders.detect(image)) for image in made]
    seen: Seen = [None if face is None else graders.sface(image, face[1]) for image, face in faces]
    return likeness(seen, *_real(graders, people), distance=False).normalised


def _real(graders: Graders, people: Sequence[Sitter]) -> tuple[Floats, Floats]:
    """Vectors [n, d] of everybody's second and third shot."""
    found: list[list[Floats]] = [[], []]
    for person in people:
        for place, shown in enumerate((person.asked, person.compared)):
            face = graders.detect(shown.image)
            points = np.array(shown.record["keypoints"], np.float32) if face is None else face[1]
            found[place].append(graders.sface(shown.image, points))
    return np.stack(found[0]), np.stack(found[1])


def measured(scale: Scale) -> Found:
    """Against the usual steps, which the diffusers pipeline takes; portraits that were made before by the same engines are taken from their files."""
    fast, count = preset(FAST), scale.likeness_people
    runtime, graders = InProcess(), Graders()
    people = sitters(WORK / f"people-{count}", count)
    folder = WORK / engines_digest({}) / "bench"
    found = {"usual": normalised(runtime, graders, people, USUAL, folder / f"usual-{USUAL_STEPS}")}
    if fast is not None:
        found["fast"] = normalised(runtime, graders, people, fast, folder / "fast")
    raw = {"people": count, "usual_steps": USUAL_STEPS, "normalised": {name: round(value, 4) for name, value in found.items()}}
    loss = round(found["usual"] - found["fast"], 4) if fast is not None else None
    return Found({"fast_likeness_loss": loss}, raw, () if fast is not None else (MISSING,))

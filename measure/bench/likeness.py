"""How much less like the person fast portraits are, by people nobody trained on."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import PIL.Image
from omokage.faces import Image
from omokage.portrait import DEFAULT_SYSTEM, Order, paint
from tqdm import tqdm

from measure.bench.pipeline import Settings
from measure.bench.portrait import USUAL_STEPS
from measure.bench.presets import FAST, MISSING, preset
from measure.bench.results import Found
from measure.bench.scale import Scale
from measure.graded import png
from measure.in_process import InProcess
from measure.likeness import Floats, Seen, likeness
from measure.people import Sitter, sitters
from measure.studio import WORK, enrolled
from training.people.graders import Graders

USUAL: Mapping[str, object] = {"steps": USUAL_STEPS, "sampler": Settings(USUAL_STEPS).sampler, "guidance": Settings(USUAL_STEPS).guidance}


def normalised(runtime: InProcess, graders: Graders, people: Sequence[Sitter], knobs: Mapping[str, object]) -> float:
    """Likeness by SFace of a portrait of each person, asked for with the pose of a second shot and compared with a third: 0 is what two strangers
    reach, 1 two shots of one person. `knobs`: what a request says, like a preset or steps."""
    seen: Seen = []
    for person in tqdm(people, ", ".join(map(str, knobs.values())), mininterval=5):
        image = _portrait(runtime, person, knobs)
        face = graders.detect(image)
        seen.append(None if face is None else graders.sface(image, face[1]))
    return likeness(seen, *_real(graders, people), distance=False).normalised


def _portrait(runtime: InProcess, person: Sitter, knobs: Mapping[str, object]) -> Image:
    order = Order(
        words=person.words,
        passport=enrolled(runtime, person),
        system=DEFAULT_SYSTEM,
        seed=person.seed,
        knobs=knobs,
        pictures={"pose": png(person.asked)},
    )
    return np.asarray(PIL.Image.open(io.BytesIO(paint(runtime.infer, order).image)).convert("RGB"))


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
    """Against the usual steps, which the diffusers pipeline takes; all portraits are made anew, by what the presets mean now."""
    fast, count = preset(FAST), scale.likeness_people
    runtime, graders = InProcess(), Graders()
    people = sitters(WORK / f"people-{count}", count)
    found = {name: normalised(runtime, graders, people, knobs) for name, knobs in (("usual", USUAL), ("fast", fast)) if knobs is not None}
    raw = {"people": count, "usual_steps": USUAL_STEPS, "normalised": {name: round(value, 4) for name, value in found.items()}}
    loss = round(found["usual"] - found["fast"], 4) if fast is not None else None
    return Found({"fast_likeness_loss": loss}, raw, () if fast is not None else (MISSING,))

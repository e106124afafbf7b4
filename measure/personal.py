"""Systems that need what was learned of a person: likeness, what they keep of a picture, and what each of their parts is there for."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from omokage.faces import Image
from omokage.systems.lipe import LIPE
from omokage.systems.megaportrait import MEGAPORTRAIT

from export.families import FAMILIES
from measure import edits
from measure.graded import Real, graded, png, real
from measure.learned import Learned, accepted, learned
from measure.people import Shown, Sitter
from measure.portraits import Ask, Portrait, portrait
from measure.studio import Studio

DOING = {"smile": "a smiling person", "open mouth": "a person with an open mouth", "raised brows": "a person with raised brows"}
"""What is asked of an edit, and how."""
TURNS = (-20.0, 20.0)  # degrees of yaw
ALL_WHITE = 255


NOTICED = 0.02  # of normalised likeness: less is chance
TUNED = "tuning alone"
"""The baseline of a person who is learned, in the manner of DreamBooth (Ruiz et al. 2023), and of whom no photo is shown."""


class Measured(NamedTuple):
    systems: dict[str, Any]  # numbers by name
    baselines: dict[str, Any]
    claims: dict[str, Any]
    pictures: dict[str, list[Image]]  # rows


def measured(studio: Studio, people: Sequence[Sitter], count: int, steps: int) -> Measured:
    """Of so many people, each learned in so many steps."""
    some = accepted(studio, people, count)
    known, truth = learned(studio, some, steps), real(studio.runtime, studio.graders, some, FAMILIES[studio.runtime.family].size)
    put, claims_put, row_put = _put_in(studio, known, truth)
    edited, claims_edited, row_edited = _edited(studio, known, truth)
    tuned, claims_tuned = _tuned(studio, known, truth)
    return Measured(
        {MEGAPORTRAIT.name: put, LIPE.name: edited},
        {TUNED: tuned},
        claims_put | claims_edited | claims_tuned,
        row_put | row_edited,
    )


def _made(studio: Studio, system: str, tag: str, words: str, one: Learned, pictures: Mapping[str, bytes], **more: Any) -> Portrait:
    knobs = {"steps": studio.steps, **more.pop("knobs", {})}
    name = f"{system}/{studio.steps}/{one.among}/{tag}/{one.sitter.seed}"
    ask = Ask(name, system, words, more.pop("passport", one.passport), one.sitter.seed, knobs, pictures=pictures)
    return portrait(studio.runtime, ask, studio.folder)


def _put_in(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Image]]]:
    references = [known[(place + 1) % len(known)].sitter.asked for place in range(len(known))]
    truth = Real(truth.vectors, [*truth.keypoints[1:], truth.keypoints[0]])  # the face is to lie where the reference's does
    ways: dict[str, dict[str, object]] = {"whole": {}, "no shading": {"shading": 0.0}, "no harmonization": {"harmonize": 0.0}}
    made = {
        tag: [
            _made(studio, MEGAPORTRAIT.name, tag, "a portrait of a person", one, {"style": png(shown)}, knobs=knobs)
            for one, shown in zip(known, references, strict=True)
        ]
        for tag, knobs in ways.items()
    }
    images = {tag: [one.pixels for one in row] for tag, row in made.items()} | {"no identity": [shown.image for shown in references]}
    numbers = {tag: graded(studio.graders, row, truth)[0] for tag, row in images.items()}
    masks = [edits.mask(studio, shown) for shown in references]
    tone = {
        tag: _mean(edits.tones_apart(image, shown.image, mask) for image, shown, mask in zip(images[tag], references, masks, strict=True))
        for tag in images
    }
    seam = {
        tag: _mean(edits.seam(image, shown.image, mask) for image, shown, mask in zip(images[tag], references, masks, strict=True)) for tag in images
    }
    kept = _mean(edits.kept(image, shown.image, edits.grown(mask, 20)) for image, shown, mask in zip(images["whole"], references, masks, strict=True))
    found = numbers["whole"] | {"background_psnr": kept, "seconds": _seconds(made["whole"])}
    claims = {
        "megaportrait: Identity Net": _claim(
            numbers["whole"]["likeness"] > numbers["no identity"]["likeness"],
            "without it likeness falls",
            likeness=numbers["whole"]["likeness"],
            without=numbers["no identity"]["likeness"],
        ),
        "megaportrait: Shading Net": _claim(
            tone["whole"] < tone["no shading"],
            "without it the colours lie farther from the reference's",
            apart=tone["whole"],
            without=tone["no shading"],
        ),
        "megaportrait: Harmonization Net": _claim(
            seam["whole"] < seam["no harmonization"], "without it the seam shows more", seam=seam["whole"], without=seam["no harmonization"]
        ),
    }
    rows = {"reference": images["no identity"], "megaportrait": images["whole"]}
    return found, claims, rows


def _edited(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Image]]]:
    side = known[0].sitter.asked.image.shape[0]
    white = png(Shown(np.full((side, side, 3), ALL_WHITE, np.uint8), {}))
    whole: dict[str, list[Portrait]] = {}
    free: list[Portrait] = []
    wordless: dict[str, list[Portrait]] = {}
    for name, words in DOING.items():
        for one in known:
            picture = {"image": png(one.sitter.asked)}
            whole.setdefault(name, []).append(_made(studio, LIPE.name, name, words, one, picture))
            wordless.setdefault(name, []).append(_made(studio, LIPE.name, f"{name}-wordless", words, one, picture, passport=one.wordless))
    for one in known:
        blended = {"image": png(one.sitter.asked), "mask": white}
        free.append(_made(studio, LIPE.name, "no-blend", DOING["smile"], one, blended, knobs={"blend_end": 0.0}))
    turned = {
        yaw: [_made(studio, LIPE.name, f"yaw{yaw:g}", "a person", one, {"image": png(one.sitter.asked)}, knobs={"yaw": yaw}) for one in known]
        for yaw in TURNS
    }
    pictures = [one.sitter.asked.image for one in known]
    masks = [edits.grown(edits.mask(studio, one.sitter.asked), 48) for one in known]
    kept = {
        tag: _mean(edits.kept(made.pixels, picture, mask) for made, picture, mask in zip(row, pictures, masks, strict=True))
        for tag, row in (("whole", whole["smile"]), ("no blend", free))
    }
    follows, follows_wordless = (edits.shown(studio, row) for row in (whole, wordless))
    found = graded(studio.graders, [one.pixels for one in whole["smile"]], truth)[0] | {
        "expression_following": follows,
        "background_psnr": kept["whole"],
        "turned": _mean(
            edits.turn(studio, made, one.sitter.asked) * np.sign(yaw) for yaw, row in turned.items() for made, one in zip(row, known, strict=True)
        ),
        "seconds": _seconds(whole["smile"]),
    }
    claims = {
        "lipe: mask blend": _claim(
            kept["whole"] > kept["no blend"], "without it the background changes", background_psnr=kept["whole"], without=kept["no blend"]
        ),
        "lipe: action captions": _claim(
            follows > follows_wordless, "a person learned without them follows words of expression less", following=follows, without=follows_wordless
        ),
        "lipe: turning": _claim(
            found["turned"] > 5, "a head that is to turn by 20 degrees turns, and nothing else is asked for", degrees=found["turned"]
        ),
    }
    rows = {"to edit": pictures, "lipe: smile": [one.pixels for one in whole["smile"]], "lipe: turned": [one.pixels for one in turned[TURNS[1]]]}
    return found, claims, rows


def _tuned(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any]]:
    """(numbers of what was learned alone, claims), all by crossfaceid: by five photos with what was learned, and without."""
    ways: dict[str, dict[str, object]] = {
        "five photos": {"prior_scale": 0.0},
        "five photos, learned": {},
        TUNED: {"identity_scale": 0.0, "pose_scale": 0.0},
    }
    made = {
        tag: [
            _made(studio, "crossfaceid", tag.replace(" ", "-"), one.sitter.words, one, {"pose": png(one.sitter.asked)}, knobs=knobs) for one in known
        ]
        for tag, knobs in ways.items()
    }
    found = {tag: graded(studio.graders, [one.pixels for one in row], truth)[0] for tag, row in made.items()}
    one, both, alone = (found[tag]["likeness"] for tag in ways)
    return found[TUNED] | {"background_psnr": None, "seconds": _seconds(made[TUNED])}, {
        "personal prior": _claim(
            both > one + NOTICED, "what was learned makes portraits by five photos more like the person", likeness=both, without=one
        ),
        "face0: tuning": _claim(
            one >= alone, "photos alone reach at least the likeness of tuning alone, in seconds instead of minutes", likeness=one, tuned_alone=alone
        ),
    }


def _claim(holds: bool, says: str, **numbers: Any) -> dict[str, Any]:
    return {"holds": bool(holds), "says": says, **numbers}


def _mean(values: Any) -> float:
    return round(float(np.mean(list(values))), 4)


def _seconds(made: Sequence[Portrait]) -> float:
    return round(float(np.median([one.seconds for one in made])), 3)

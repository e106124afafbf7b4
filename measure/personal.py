"""Systems that need what was learned of a person: likeness, what they keep of a picture, and what each of their parts is there for."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from omokage import expression_reader, personal
from omokage.errors import InvalidRequest
from omokage.faces import Image
from omokage.passport import Passport
from omokage.pose import in_space_of
from omokage.seen import seen
from omokage.shading import light_of
from omokage.systems.lipe import LIPE
from omokage.systems.megaportrait import MEGAPORTRAIT, face_mask
from omokage.texts import text
from tqdm import tqdm

from export.families import FAMILIES
from measure import expressions
from measure.graded import Real, graded, png, real
from measure.people import Shown, Sitter
from measure.portraits import Ask, Portrait, portrait
from measure.studio import Studio, enrolled

PHOTOS = 5
DOING = {"smile": "a smiling person", "open mouth": "a person with an open mouth", "raised brows": "a person with raised brows"}
"""What is asked of an edit, and how."""
TURNS = (-20.0, 20.0)  # degrees of yaw
ALL_WHITE = 255


@dataclass(frozen=True)
class Learned:
    """A person with the passport of five photos, learned as served; and learned without what the photos show in words."""

    sitter: Sitter
    passport: Passport
    wordless: Passport


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
    return [
        Learned(sitter, *(_passport(studio, sitter, steps, said) for said in (True, False)))
        for sitter in tqdm(people, "learned", unit="person", mininterval=5)
    ]


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
    found = Passport(family=runtime.family, face=face, prior=prior)
    found.save(path)
    return found


def measured(studio: Studio, people: Sequence[Sitter], count: int, steps: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Image]]]:
    """(numbers by system, claims, rows of pictures), of so many people, each learned in so many steps."""
    some = accepted(studio, people, count)
    known, truth = learned(studio, some, steps), real(studio.runtime, studio.graders, some, FAMILIES[studio.runtime.family].size)
    put, claims_put, row_put = _put_in(studio, known, truth)
    edited, claims_edited, row_edited = _edited(studio, known, truth)
    return {MEGAPORTRAIT.name: put, LIPE.name: edited}, claims_put | claims_edited | _tuned(studio, known, truth), row_put | row_edited


def _made(studio: Studio, system: str, tag: str, words: str, one: Learned, pictures: Mapping[str, bytes], **more: Any) -> Portrait:
    knobs = {"steps": studio.steps, **more.pop("knobs", {})}
    name = f"{system}/{studio.steps}/{tag}/{one.sitter.seed}"
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
    masks = [_mask(studio, shown) for shown in references]
    tone = {
        tag: _mean(_tones_apart(image, shown.image, mask) for image, shown, mask in zip(images[tag], references, masks, strict=True))
        for tag in images
    }
    seam = {tag: _mean(_seam(image, shown.image, mask) for image, shown, mask in zip(images[tag], references, masks, strict=True)) for tag in images}
    kept = _mean(_kept(image, shown.image, _grown(mask, 20)) for image, shown, mask in zip(images["whole"], references, masks, strict=True))
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
    masks = [_grown(_mask(studio, one.sitter.asked), 48) for one in known]
    kept = {
        tag: _mean(_kept(made.pixels, picture, mask) for made, picture, mask in zip(row, pictures, masks, strict=True))
        for tag, row in (("whole", whole["smile"]), ("no blend", free))
    }
    follows, follows_wordless = (_shown(studio, row) for row in (whole, wordless))
    found = graded(studio.graders, [one.pixels for one in whole["smile"]], truth)[0] | {
        "expression_following": follows,
        "background_psnr": kept["whole"],
        "turned": _mean(_turn(studio, made, one) * np.sign(yaw) for yaw, row in turned.items() for made, one in zip(row, known, strict=True)),
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


def _tuned(studio: Studio, known: Sequence[Learned], truth: Real) -> dict[str, Any]:
    """crossfaceid by five photos, with what was learned and without; and what was learned alone, in the manner of DreamBooth (Ruiz et al. 2023)."""
    ways: dict[str, dict[str, object]] = {
        "five photos": {"prior_scale": 0.0},
        "five photos, learned": {},
        "learned alone": {"identity_scale": 0.0, "pose_scale": 0.0},
    }
    likeness = {
        tag: graded(
            studio.graders,
            [
                _made(studio, "crossfaceid", tag.replace(" ", "-"), one.sitter.words, one, {"pose": png(one.sitter.asked)}, knobs=knobs).pixels
                for one in known
            ],
            truth,
        )[0]
        for tag, knobs in ways.items()
    }
    one, both = likeness["five photos"]["likeness"], likeness["five photos, learned"]["likeness"]
    return {
        "personal prior": _claim(both > one, "what was learned makes portraits by five photos more like the person", likeness=both, without=one),
        "face0: tuning": _claim(
            one >= likeness["learned alone"]["likeness"],
            "photos alone reach at least the likeness of tuning alone, in seconds instead of minutes",
            likeness=one,
            tuned_alone=likeness["learned alone"]["likeness"],
        ),
    }


def _claim(holds: bool, says: str, **numbers: Any) -> dict[str, Any]:
    return {"holds": bool(holds), "says": says, **numbers}


def _mask(studio: Studio, shown: Shown) -> npt.NDArray[np.float32]:
    """[H, W]: where MegaPortrait pastes into a picture."""
    size = FAMILIES[studio.runtime.family].size
    return face_mask(seen(studio.runtime.infer, png(shown), size, "picture").landmarks, size)


def _grown(mask: npt.NDArray[np.float32], pixels: int) -> npt.NDArray[np.bool_]:
    """Where the mask is at most so far away."""
    rows, columns = np.nonzero(mask > 0)
    found = np.zeros(mask.shape, bool)
    found[max(0, rows.min() - pixels) : rows.max() + pixels, max(0, columns.min() - pixels) : columns.max() + pixels] = True
    return found


def _kept(image: Image, before: Image, changed: npt.NDArray[np.bool_]) -> float:
    """dB of the picture outside: 99 where not a byte differs."""
    error = (image.astype(np.float64) - before)[~changed]
    mean = float((error**2).mean()) if error.size else 0.0
    return 99.0 if mean == 0 else float(10 * np.log10(255**2 / mean))


def _tones_apart(image: Image, reference: Image, mask: npt.NDArray[np.float32]) -> float:
    """Mean difference of the light and colour of both faces, 0 to 255."""
    apart = np.abs(light_of(image, mask) - light_of(reference, mask)).mean(2)
    return float((apart * mask).sum() / mask.sum())


def _seam(image: Image, reference: Image, mask: npt.NDArray[np.float32]) -> float:
    """How much steeper the picture is across the mask's border than the reference is there, 0 to 255 a pixel."""
    border = (mask > 0) & (mask < 1)

    def steep(picture: Image) -> npt.NDArray[np.float64]:
        down, across = np.gradient(picture.astype(np.float64).mean(2))
        return np.asarray(np.hypot(down, across))

    return float(np.maximum(steep(image) - steep(reference), 0)[border].mean())


def _shown(studio: Studio, made: Mapping[str, Sequence[Portrait]]) -> float:
    """Share of edits that show what was asked."""
    fits, right = expression_reader.learned(), []
    for name, row in made.items():
        for one in row:
            marks = expressions.surface(studio.runtime.infer, one.pixels)
            right.append(marks is not None and expression_reader.shows(fits[name], expression_reader.features(marks)))
    return round(float(np.mean(right)), 4)


def _turn(studio: Studio, made: Portrait, one: Learned) -> float:
    """Degrees by which the head turned to the viewer's right."""

    def yaw(picture: Image) -> float:
        found = seen(studio.runtime.infer, png(Shown(picture, {})), FAMILIES[studio.runtime.family].size, "picture")
        return in_space_of(found.shape[0], found.landmarks)[0]

    return yaw(made.pixels) - yaw(one.sitter.asked.image)


def _mean(values: Any) -> float:
    return round(float(np.mean(list(values))), 4)


def _seconds(made: Sequence[Portrait]) -> float:
    return round(float(np.median([one.seconds for one in made])), 3)

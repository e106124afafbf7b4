"""A whole portrait over a callable `infer`: written once, run by the server in one call or by a client step by step, with the same pixels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from omokage import guidance, noise, presets
from omokage.denoising import Denoise, OnStep, by_steps
from omokage.errors import InvalidRequest
from omokage.knobs import Values, settled
from omokage.passes import Painted, plain
from omokage.passport import Passport
from omokage.prior import shapes as prior_shapes
from omokage.samplers import MOST_STEPS
from omokage.seen import floats
from omokage.sitting import Sitting
from omokage.system import LIGHT_SCALE, PRIOR_SCALE, TURNS, Arrays, Face, Infer, System, Words
from omokage.systems import SYSTEMS
from omokage.texts import json_of, report_of, text
from omokage.turn import AT_LEISURE, Turn
from omokage.watch import Watch

DEFAULT_SYSTEM = "crossfaceid"
MOST_SEED = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for. The person is given by a photo's bytes, a passport, or as an invented character's number; `other` is mixed in; `pictures` by
    what they are for, as bytes."""

    words: str
    photo: bytes | None = None
    passport: Passport | None = None
    character: int | None = None
    other: Passport | None = None
    unwanted: str = ""
    system: str = DEFAULT_SYSTEM
    seed: int = 0
    knobs: Mapping[str, object] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """`image`: a PNG file. `likeness`: cosine of its identity vector to the person's, None without a face. `report`: as docs/protocol.md says."""

    image: bytes
    likeness: float | None
    report: dict[str, Any]


def about(infer: Infer) -> dict[str, Any]:
    """What the server is: family, shapes, systems and their knobs."""
    return json_of(infer("about", {"ask": text("")})["about"])


def paint(infer: Infer, order: Order, on_step: OnStep | None = None, denoise: Denoise | None = None) -> Made:
    """`denoise`: how (default: step by step over `infer`). Raises InvalidRequest, Refused, and whatever `infer` and `denoise` raise."""
    watch = Watch()
    system = system_named(order.system)
    knobs, unlit = in_own_light(order, checked(system, order))
    known = about(infer)
    person, notes = _person(infer, order, known)
    face = person if order.other is None else person.towards(_face(order.other, known), knobs["mix"])
    watch.done("person")
    prior = None if order.passport is None or PRIOR_SCALE.name not in knobs else order.passport.prior
    wanted, cut = _words(infer, system.worded(order.words, knobs))
    unwanted, _ = _words(infer, order.unwanted)
    if prior is not None:
        wanted, unwanted = (replace(one, text_kv=prior.said(one, knobs[PRIOR_SCALE.name])) for one in (wanted, unwanted))
    sitting = Sitting(
        infer=infer,
        denoise=denoise or by_steps(infer),
        system=system,
        knobs=knobs,
        about=known,
        face=face,
        prior=prior,
        wanted=wanted,
        unwanted=unwanted,
        seed=order.seed,
        pictures=order.pictures,
        on_step=on_step,
        watch=watch,
    )
    painted = (system.passes or plain)(sitting)
    origin = {"system": system.name, "family": known["family"], "seed": order.seed, "steps": knobs["steps"]}
    finished = _finished(infer, painted, person, origin)
    watch.done("finishing")
    likeness = float(finished["likeness"].reshape(-1)[0])
    found = None if np.isnan(likeness) else round(likeness, 4)
    report = {
        **origin,
        "knobs": knobs,
        "likeness": found,
        "engines": known["engines"],
        "words_cut": cut,
        "notes": [*notes, *unlit, *guidance.notes(knobs), *painted.notes, *([] if found is not None else ["no face was found in the portrait"])],
        **painted.told,
        "server_seconds": round(sum(watch.seconds.values()), 3),
        "stage_seconds": {stage: round(seconds, 3) for stage, seconds in watch.seconds.items()},
    }
    return Made(finished["image"].reshape(-1)[0], found, report)


def in_own_light(order: Order, knobs: Values) -> tuple[Values, list[str]]:
    """(knobs, notes): an invented person has no photo, whose light could be taken away, and a texture too soft for the networks that change light."""
    if order.character is None or not knobs.get(LIGHT_SCALE.name):
        return knobs, []
    return {**knobs, LIGHT_SCALE.name: 0.0}, ["an invented person keeps its own, even light: light_scale is 0"]


def _finished(infer: Infer, painted: Painted, person: Face, origin: dict[str, Any]) -> Arrays:
    """The file, and how like the person it is."""
    told = {"identity": person.identity, "origin": text(json.dumps(origin))}
    return infer("publisher", {"picture": floats(painted.pixels), **told})


def inputs_of(order: Order) -> Arrays:
    """An order as the server's `portrait` and `portrait_stream` take it. Raises as `checked` does."""
    checked(system_named(order.system), order)
    inputs: Arrays = {"words": text(order.words), "system": text(order.system), "seed": np.array([[order.seed]], np.int64)}
    inputs |= {"knobs": text(json.dumps(dict(order.knobs))), "unwanted": text(order.unwanted)}
    inputs |= {kind: text(picture) for kind, picture in order.pictures.items()}
    if order.passport is not None:
        inputs["passport"] = text(order.passport.to_bytes())
    if order.character is not None:
        inputs["character"] = np.array([[order.character]], np.int64)
    if order.other is not None:
        inputs["other"] = text(order.other.to_bytes())
    if order.photo is not None:
        inputs["photo"] = text(order.photo)
    return inputs


def made_of(outputs: Arrays) -> Made:
    """What they answer."""
    report = report_of(outputs)
    return Made(outputs["image"].reshape(-1)[0], report["likeness"], report)


def asked(infer: Infer, order: Order, turn: Turn = AT_LEISURE) -> Made:
    """The same by the server's model `portrait`, in one call. Raises as `paint` does, and Busy and TooLate."""
    return made_of(infer("portrait", inputs_of(order) | turn.inputs()))


def system_named(name: str) -> System:
    """Raises InvalidRequest with the names there are."""
    if name not in SYSTEMS:
        raise InvalidRequest(f"unknown system {name!r}; choose one of: {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def checked(system: System, order: Order) -> Values:
    """The order's knobs with all defaults. Raises InvalidRequest for anything that can be told without the server's models."""
    who = {"a photo": order.photo, "a passport": order.passport, "a character": order.character}
    given = [name for name, value in who.items() if value is not None]
    if len(given) != 1:
        raise InvalidRequest(f"{' and '.join(given) or 'nobody'} came with the words; send one of: {', '.join(who)}")
    for name, number in (("seed", order.seed), ("character", order.character or 0)):
        if type(number) is not int or not 0 <= number <= MOST_SEED:
            raise InvalidRequest(f"{name} is {number!r}; it must be a whole number from 0 to {MOST_SEED}")
    if system.personal and (order.passport is None or order.passport.prior is None):
        raise InvalidRequest(
            f"{system.name} needs a passport with a personal prior, {'this one has none' if order.passport else 'and got ' + given[0]}; make one "
            "of 3 to 5 photos with `omokage enroll PHOTO... --personal`"
        )
    for kind in system.needs:
        if kind not in order.pictures:
            raise InvalidRequest(f"{system.name} needs a picture for {kind}, and got none; send one as {kind} (`--{kind} PICTURE`)")
    for kind in order.pictures:
        if kind not in system.pictures:
            raise InvalidRequest(f"{system.name} takes no {kind} picture; it takes: {', '.join(system.pictures) or 'none'}")
    if order.other is not None and not system.mixes:
        mixing = ", ".join(one.name for one in SYSTEMS.values() if one.mixes)
        raise InvalidRequest(f"{system.name} takes no second person; systems that do: {mixing}")
    knobs = settled(system.knobs, presets.filled(order.knobs))
    guidance.checked(knobs, order.unwanted)
    if "pose" in order.pictures and (turns := [knob.name for knob in TURNS if knob.name in order.knobs]):
        raise InvalidRequest(f"a pose picture and {', '.join(turns)} were given; give the one or the other")
    system.turns(knobs)
    most = MOST_STEPS.get(knobs["sampler"])
    if most is not None and knobs["steps"] > most:
        raise InvalidRequest(f"steps is {knobs['steps']}; the sampler {knobs['sampler']} takes at most {most}")
    return knobs


def _person(infer: Infer, order: Order, known: dict[str, Any]) -> tuple[Face, list[str]]:
    """(face, notes on the photo)."""
    if order.passport is not None:
        return _face(order.passport, known), []
    if order.character is not None:
        return Face.of(infer("character", {"noise": noise.normal(order.character, (1, known["character"]))})), []
    assert order.photo is not None
    found = infer("encode_person", {"photo": text(order.photo)})
    return Face.of(found), list(report_of(found)["notes"])


def _face(passport: Passport, known: dict[str, Any]) -> Face:
    return passport.checked(known["family"], datetime.now(UTC).date(), known["face"] | prior_shapes(known), known["generator"])


def _words(infer: Infer, words: str) -> tuple[Words, str]:
    """(what the encoder made of them, the part that it did not hold)."""
    found = infer("encode_prompt", {"words": text(words)})
    return Words(found["states"], found["mask"], found["text_kv"]), report_of(found)["cut"]

"""Systems that need what was learned of a person, and what that is worth by itself."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from omokage.faces import Image
from omokage.systems.lipe import LIPE
from omokage.systems.megaportrait import MEGAPORTRAIT

from export.families import FAMILIES
from measure.claims import claim
from measure.edited import edited
from measure.graded import Real, graded, png, real, seconds
from measure.learned import Learned, accepted, learned, made
from measure.people import Sitter
from measure.put_in import put_in
from measure.studio import Studio

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
    put, claims_put, row_put = put_in(studio, known, truth)
    changed, claims_changed, row_changed = edited(studio, known, truth)
    tuned, claims_tuned = _tuned(studio, known, truth)
    return Measured(
        {MEGAPORTRAIT.name: put, LIPE.name: changed},
        {TUNED: tuned},
        claims_put | claims_changed | claims_tuned,
        row_put | row_changed,
    )


def _tuned(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any]]:
    """(numbers of what was learned alone, claims), all by crossfaceid: by five photos with what was learned, and without."""
    ways: dict[str, dict[str, object]] = {
        "five photos": {"prior_scale": 0.0},
        "five photos, learned": {},
        TUNED: {"identity_scale": 0.0, "pose_scale": 0.0},
    }
    portraits = {
        tag: [
            made(studio, "crossfaceid", tag.replace(" ", "-"), one.sitter.words, one, {"pose": png(one.sitter.asked)}, knobs=knobs) for one in known
        ]
        for tag, knobs in ways.items()
    }
    found = {tag: graded(studio.graders, [one.pixels for one in row], truth)[0] for tag, row in portraits.items()}
    one, both, alone = (found[tag]["likeness"] for tag in ways)
    return found[TUNED] | {"background_psnr": None, "seconds": seconds(portraits[TUNED])}, {
        "personal prior": claim(
            both > one + NOTICED, "what was learned makes portraits by five photos more like the person", likeness=both, without=one
        ),
        "face0: tuning": claim(
            one >= alone, "photos alone reach at least the likeness of tuning alone, in seconds instead of minutes", likeness=one, tuned_alone=alone
        ),
    }

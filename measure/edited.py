"""LIPE of people who were learned: what an edit shows of what was asked, what it keeps, and what its parts are there for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from omokage.faces import Image
from omokage.systems.lipe import LIPE

from measure import edits
from measure.claims import claim
from measure.graded import Real, apart, graded, mean, png, seconds
from measure.learned import Learned, made
from measure.people import Shown
from measure.portraits import Portrait
from measure.studio import Studio

DOING = {"smile": "a smiling person", "open mouth": "a person with an open mouth", "raised brows": "a person with raised brows"}
WORN = {"glasses": "a person wearing round black glasses", "hat": "a person wearing a black beanie"}
"""What is asked of an edit, and how: of the face, and of what is on it."""
TURNS = (-20.0, 20.0)  # degrees of yaw
ALL_WHITE = 255


def edited(studio: Studio, known: Sequence[Learned], truth: Real) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Image]]]:
    """(numbers, claims, rows of pictures): everybody's own asked picture, changed. `truth`: of these people."""
    side = known[0].sitter.asked.image.shape[0]
    white = png(Shown(np.full((side, side, 3), ALL_WHITE, np.uint8), {}))
    whole: dict[str, list[Portrait]] = {}
    free: list[Portrait] = []
    wordless: dict[str, list[Portrait]] = {}
    for name, words in DOING.items():
        for one in known:
            picture = {"image": png(one.sitter.asked)}
            whole.setdefault(name, []).append(made(studio, LIPE.name, name, words, one, picture))
            wordless.setdefault(name, []).append(made(studio, LIPE.name, f"{name}-wordless", words, one, picture, passport=one.wordless))
    for one in known:
        blended = {"image": png(one.sitter.asked), "mask": white}
        free.append(made(studio, LIPE.name, "no-blend", DOING["smile"], one, blended, knobs={"blend_end": 0.0}))
    turned = {
        yaw: [made(studio, LIPE.name, f"yaw{yaw:g}", "a person", one, {"image": png(one.sitter.asked)}, knobs={"yaw": yaw}) for one in known]
        for yaw in TURNS
    }
    worn = {thing: [made(studio, LIPE.name, thing, words, one, {"image": png(one.sitter.asked)}) for one in known] for thing, words in WORN.items()}
    again = [made(studio, LIPE.name, "again", DOING["smile"], one, {"image": png(one.sitter.asked)}, seed=one.sitter.seed + 1) for one in known]
    pictures = [one.sitter.asked.image for one in known]
    masks = [edits.grown(edits.mask(studio, one.sitter.asked), 48) for one in known]
    kept = {
        tag: mean(edits.kept(one.pixels, picture, mask) for one, picture, mask in zip(row, pictures, masks, strict=True))
        for tag, row in (("whole", whole["smile"]), ("no blend", free))
    }
    follows, follows_wordless = (edits.shown(studio, row) for row in (whole, wordless))
    found = graded(studio.graders, [one.pixels for one in whole["smile"]], truth)[0] | {
        "expression_following": follows,
        "words_following": edits.worn(studio, worn),
        "diversity": mean(apart([one.pixels, other.pixels]) for one, other in zip(whole["smile"], again, strict=True)),
        "background_psnr": kept["whole"],
        "turned": mean(
            edits.turn(studio, after, one.sitter.asked) * np.sign(yaw) for yaw, row in turned.items() for after, one in zip(row, known, strict=True)
        ),
        "seconds": seconds(whole["smile"]),
    }
    claims = {
        "lipe: mask blend": claim(
            kept["whole"] > kept["no blend"], "without it the background changes", background_psnr=kept["whole"], without=kept["no blend"]
        ),
        "lipe: action captions": claim(
            follows > follows_wordless, "a person learned without them follows words of expression less", following=follows, without=follows_wordless
        ),
        "lipe: turning": claim(
            found["turned"] > 5, "a head that is to turn by 20 degrees turns, and nothing else is asked for", degrees=found["turned"]
        ),
    }
    rows = {"to edit": pictures, "lipe: smile": [one.pixels for one in whole["smile"]], "lipe: turned": [one.pixels for one in turned[TURNS[1]]]}
    return found, claims, rows

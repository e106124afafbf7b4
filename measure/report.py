"""The page of an evaluation: what out/evaluate.json says, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omokage.personal import STEPS

COLUMNS = {
    "likeness": "likeness, dlib",
    "likeness_conditioned": "likeness, SFace",
    "top1": "first, dlib",
    "top1_conditioned": "first, SFace",
    "faces": "faces found",
    "pose_error": "keypoints off",
    "expression_following": "expressions",
    "words_following": "other words",
    "diversity": "diversity",
    "background_psnr": "surroundings kept, dB",
    "seconds": "seconds",
}
EDITS = ("diversity", "background_psnr")
"""What presets are not asked for."""
LOST = {
    "likeness_lost": "lost: likeness, dlib",
    "likeness_conditioned_lost": "SFace",
    "expression_following_lost": "expressions",
    "expression_error": "standard error",
    "words_following_lost": "other words",
    "passes": "passes",
}
PRESETS = """By the default system, of {people} people; {expressions} portraits for each expression, {others} for each other thing. Lost: how
much less than `best`; a preset passes if it loses at most .05 of each. The standard error is that of the expressions' loss."""
WRITTEN = """Written by `make evaluate`; change nothing here by hand. All numbers with their parts are in `out/evaluate.json`, pictures in
`out/evaluate/`."""
HOW = """{people} synthetic people of the test split, whom nothing was trained on; {steps} steps; engines `{engines}`. Each is enrolled by one shot,
asked for with the words and the pose of a second (what the face tells is left out of the words), and compared with a third. Likeness
is normalised: 0 is what two different people reach, 1 two shots of one person; a portrait without a face counts as a stranger's. Nothing
was conditioned on dlib's recognizer. First: the right person is the nearest of all. Keypoints: median distance over that of the eyes.
Expressions and other words: share of portraits that show the one thing that was asked, {wishes} portraits a thing, the head to the front, the
readers' errors not taken off. Diversity: mean difference of pixels between two seeds' portraits. Seconds: one portrait with a pose, in
one process on the machine that made the page.

`megaportrait`, `lipe` and tuning alone are asked of {personal} of these people, each learned from five photos in {learned_steps} steps (as served:
{steps_of_a_prior}), so their numbers are of few, and normalised by these few: into the next one's picture, and a smile put into their own.
Of `megaportrait`, expressions and other words, which are background and light, are what readers see alike in its picture and the reference;
of `lipe`, other words are glasses and hats, and there no seed counts: the noise is the picture's own.
Surroundings kept: peak signal to noise, of `lipe` outside the face and 48 pixels round it, of `megaportrait` beyond 20 pixels from what face
parsing calls a head or skin in the reference or in the picture; 99 dB where not a byte differs.

How much was measured, as `python -m measure.evaluate --set NAME=N` takes it: {scale}."""


LIKELY = {
    "face-makeup: most likeness": "all three systems begin with the same head, held over most of the way, so their own tokens decide little",
    "crossfaceid: pairs": "both contexts learned little, beside an earlier generator than this one, and without a held head neither is like anybody",
    "lipe: action captions": "the head takes on the words' expression before any network sees it, so what was learned has little to say of it",
    "personal prior": "the photos' own head is held to the last step, so what was learned changes what is round it; docs/mini.md has the trials",
}
"""Why a claim does not hold on the mini family, as far as trials tell."""


def page(found: Mapping[str, Any]) -> str:
    """Markdown."""
    ways = {**found["systems"], **found["baselines"]}
    spoken = {name: numbers for name, numbers in ways.items() if "following" in numbers}
    parts = [
        "# Evaluation",
        WRITTEN,
        HOW.format(
            people=found["people"],
            steps=found["steps"],
            engines=found["engines"],
            wishes=found["scale"]["wishes"],
            personal=found["scale"]["personal"],
            learned_steps=found["scale"]["learned_steps"],
            steps_of_a_prior=STEPS,
            scale=", ".join(f"{name} {number}" for name, number in found["scale"].items()),
        ),
        _table(["", *COLUMNS.values()], ([name, *(_said(numbers.get(key)) for key in COLUMNS)] for name, numbers in ways.items())),
        "Following, thing by thing:",
        _following(spoken),
        "## Presets",
        PRESETS.format(
            people=min(found["people"], found["scale"]["some"]),
            expressions=found["scale"]["preset_expressions"],
            others=found["scale"]["preset_others"],
        ),
        _table(
            ["", *(COLUMNS[key] for key in COLUMNS if key not in EDITS), *LOST.values()],
            ([name, *(_said(numbers[key]) for key in (*COLUMNS, *LOST) if key not in EDITS)] for name, numbers in found["presets"].items()),
        ),
        "## Claims",
        *(_claim(name, claim) for name, claim in found["claims"].items()),
        "## Fairness",
        "Likeness (dlib, normalised) by group, people in brackets, and how like the photo itself is to the other shot, which is the recognizer's own "
        "unevenness. How far the worst group of more than one person lies below the mean:",
        _table(
            ["", *next(iter(found["fairness"].values()))],
            ([name, *(_said(axis["worst_below_mean"]) for axis in axes.values())] for name, axes in found["fairness"].items()),
        ),
        *(_groups(axis, found["fairness"]) for axis in next(iter(found["fairness"].values()))),
    ]
    return "\n\n".join(parts) + "\n"


def _claim(name: str, claim: Mapping[str, Any]) -> str:
    numbers = "; ".join(f"{key} {_said(value)}" for key, value in claim.items() if key not in ("holds", "says"))
    likely = f" Likely because {LIKELY[name]}." if name in LIKELY and not claim["holds"] else ""
    return f"- **{name}**: {claim['says']}. **{'Holds' if claim['holds'] else 'Does not hold'}** ({numbers}).{likely}"


def _groups(axis: str, fairness: Mapping[str, Any]) -> str:
    counts = next(iter(fairness.values()))[axis]["people"]
    heads = [axis, *(f"{group} ({count})" for group, count in counts.items())]
    return _table(heads, ([name, *(_said(axes[axis]["likeness"][group]) for group in counts)] for name, axes in fairness.items()))


def _following(ways: Mapping[str, Any]) -> str:
    things = list(next(iter(ways.values()))["following"])
    return _table(["", *things], ([name, *(_said(numbers["following"][thing]) for thing in things)] for name, numbers in ways.items()))


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value)
    return (
        f"{value:.2f}".replace("0.", ".", 1)
        if isinstance(value, float) and abs(value) < 1
        else f"{value:.2f}"
        if isinstance(value, float)
        else str(value)
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))

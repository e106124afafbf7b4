"""The papers' claims, each held against what was measured. One that cannot be measured yet is not in the list."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Numbers = Mapping[str, Any]


def claim(holds: bool, says: str, **numbers: Any) -> dict[str, Any]:
    """A claim in words, and the numbers that it is held against."""
    return {"holds": bool(holds), "says": says, **numbers}


def mixing(rows: Sequence[Sequence[tuple[float, float]]], shares: Sequence[float]) -> dict[str, Any]:
    """Face-MakeUp: two people mixed move monotonically from one to the other.

    `rows`: for every pair and share, the portrait's similarity to the first person and to the second; it is to fall and to rise from share to share
    in the mean over the pairs.
    """
    first, second = ([sum(row[place][who] for row in rows) / len(rows) for place in range(len(shares))] for who in (0, 1))
    steps = range(len(shares) - 1)
    return {
        "holds": all(first[k] > first[k + 1] and second[k] < second[k + 1] for k in steps),
        "says": "mixing moves monotonically from one person to the other",
        "shares": list(shares),
        "to_first": [round(value, 4) for value in first],
        "to_second": [round(value, 4) for value in second],
        "pairs": len(rows),
    }


def more_photos(likeness: Mapping[int, float], without: Mapping[int, int]) -> dict[str, Any]:
    """Likeness by how many photos a passport was made of. `without`: people whose photos were refused as those of different people."""
    counts = sorted(likeness)
    return {
        "holds": all(likeness[fewer] < likeness[more] for fewer, more in pairwise(counts)),
        "says": "likeness rises with the number of photos that a passport is made of",
        "likeness": {str(count): likeness[count] for count in counts},
        "refused": {str(count): without[count] for count in counts},
    }


def most_likeness(systems: Mapping[str, Numbers]) -> dict[str, Any]:
    """Face-MakeUp: more likeness than the others, at the price of words."""
    likeness, words = ({name: numbers[kind] for name, numbers in systems.items()} for kind in ("likeness", "words_following"))
    others = [name for name in systems if name != "face-makeup"]
    return {
        "holds": all(likeness["face-makeup"] > likeness[name] for name in others) and all(words["face-makeup"] < words[name] for name in others),
        "says": "the most likeness of all systems, and words followed less than by the others",
        "likeness": likeness,
        "words_following": words,
    }


CLEARLY = 2.0  # standard errors


def pairs(by_pairs: Numbers, by_same_shots: Numbers, error: float) -> dict[str, Any]:
    """CrossFaceID: learned by other shots, a context follows expressions clearly better than one learned by the very picture's, at equal likeness.
    `error`: the standard error of how much better."""
    kinds = ("expression_following", "likeness", "likeness_conditioned")
    follows = by_pairs["expression_following"] - by_same_shots["expression_following"] > CLEARLY * error
    return {
        "holds": follows and by_pairs["likeness"] >= by_same_shots["likeness"] - GATE,
        "says": "learned by pairs of shots, a context follows expressions clearly better than learned by the very picture's face, at equal likeness",
        **{kind: by_pairs[kind] for kind in kinds},
        **{f"{kind}_of_same_shots": by_same_shots[kind] for kind in kinds},
        "standard_error": error,
    }


GATE = 0.05  # of normalised likeness, and of the share of what is followed, that a preset may lose


def lost(numbers: Numbers, best: Numbers) -> dict[str, Any]:
    """What a preset loses against the best one: positive is worse. `passes`: no more of any than GATE."""
    losses = {
        f"{kind}_lost": round(best[kind] - numbers[kind], 4)
        for kind in ("likeness", "likeness_conditioned", "expression_following", "words_following")
    }
    return {**losses, "passes": max(losses.values()) <= GATE}


def face_counts(systems: Mapping[str, Numbers], name: str, nobody: Numbers) -> dict[str, Any]:
    """What all of them say: one photo makes the portrait that person's."""
    numbers = systems[name]
    return {
        "holds": numbers["likeness"] > nobody["likeness"] and numbers["top1"] > nobody["top1"],
        "says": "one photo makes the portrait more like the person than words alone do",
        "likeness": numbers["likeness"],
        "likeness_of_words_alone": nobody["likeness"],
        "top1": numbers["top1"],
        "top1_of_words_alone": nobody["top1"],
    }

"""Guidance over what a system wants: a row more for what is not wanted, or keys and values that were taught to do without it, or both in turn."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omokage.errors import InvalidRequest
from omokage.knobs import Values
from omokage.system import FOLDED, GUIDANCE, MOST_FOLDED, Branch, Floats, Infer, Words, scalar


def checked(knobs: Values, unwanted: str) -> None:
    """Raises InvalidRequest for what folded guidance was not taught."""
    if knobs["guided"] != FOLDED:
        return
    if unwanted:
        raise InvalidRequest("unwanted words came with guided=folded, which knows none; give guided=apart, or no unwanted words")
    if knobs["guidance"] > MOST_FOLDED:
        raise InvalidRequest(
            f"guidance is {knobs['guidance']:g} with guided=folded, which was taught up to {MOST_FOLDED:g}; give guided=apart, or less"
        )


def notes(knobs: Values) -> list[str]:
    """What is not as it was asked for."""
    if knobs["guided"] == FOLDED or knobs["guided_share"] == 1 or knobs["guidance"] <= MOST_FOLDED:
        return []
    return [f"guidance is {knobs['guidance']:g}, and {MOST_FOLDED:g} in the steps that are not guided apart; for all of it, give guided_share=1"]


def strengthened(infer: Infer, branches: Sequence[Branch], unwanted: Words, face_tokens: int, knobs: Values) -> list[Branch]:
    """The rows of the batch: e = (1 - w) e(unwanted) + w e(wanted), Ho and Salimans 2022, eq. 6; what weighs nothing is not computed. Those that go
    on after the steps that are guided so are the first, and have folded keys and values then."""
    weight = knobs["guidance"]
    if knobs["guided"] == FOLDED:
        return [replace(branch, text_kv=text, id_kv=face) for branch in branches for text, face in [_folded(infer, branch, face_tokens, weight)]]
    rows = [replace(branch, weight=weight * branch.weight, alone=branch.weight) for branch in branches]
    if knobs["guided_share"] < 1:
        rows = [replace(row, alone_kv=_folded(infer, row, face_tokens, min(weight, MOST_FOLDED))) for row in rows]
    rows.append(Branch(1 - weight, unwanted.text_kv, alone=0.0))
    return [row for row in rows if row.weight != 0]


def _folded(infer: Infer, branch: Branch, face_tokens: int, weight: float) -> tuple[Floats, Floats]:
    """Keys and values of words [1, 77, S] and face [1, tokens, S] that are as guided; those of the branch itself at a guidance of 1."""
    nobody = np.zeros((1, face_tokens, branch.text_kv.shape[2]), np.float32)
    face = nobody if branch.id_kv is None else branch.id_kv
    if weight == GUIDANCE.low:
        return branch.text_kv, face
    made = infer("context_guided", {"text_kv": branch.text_kv, "id_kv": face, "guidance": scalar(weight)})
    return made["guided_text_kv"], made["guided_id_kv"]

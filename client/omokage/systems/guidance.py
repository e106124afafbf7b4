"""Guidance over what a system wants: a row more for what is not wanted, or keys and values that were taught to do without it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from omokage.errors import InvalidRequest
from omokage.knobs import Values
from omokage.systems.base import FOLDED, GUIDANCE, MOST_FOLDED, Branch, Infer, Words, scalar


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


def strengthened(infer: Infer, branches: Sequence[Branch], unwanted: Words, face_tokens: int, knobs: Values) -> list[Branch]:
    """The rows of the batch: e = (1 - w) e(unwanted) + w e(wanted), Ho and Salimans 2022, eq. 6; what weighs nothing is not computed. Those that go
    on where nothing is strengthened any more are the first."""
    weight = knobs["guidance"]
    if knobs["guided"] == FOLDED:
        return [_folded(infer, branch, face_tokens, weight) for branch in branches]
    rows = [replace(branch, weight=weight * branch.weight, alone=branch.weight) for branch in branches]
    rows.append(Branch(1 - weight, unwanted.text_kv, alone=0.0))
    return [row for row in rows if row.weight != 0]


def _folded(infer: Infer, branch: Branch, face_tokens: int, weight: float) -> Branch:
    if weight == GUIDANCE.low:
        return branch
    nobody = np.zeros((1, face_tokens, branch.text_kv.shape[2]), np.float32)
    given = {"text_kv": branch.text_kv, "id_kv": nobody if branch.id_kv is None else branch.id_kv, "guidance": scalar(weight)}
    made = infer("context_guided", given)
    return replace(branch, text_kv=made["guided_text_kv"], id_kv=made["guided_id_kv"])

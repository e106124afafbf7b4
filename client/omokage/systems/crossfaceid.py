"""CrossFaceID (Wang et al. 2025): the same shape, learned on different shots of a person, so that expression and angle follow the words."""

from omokage.knobs import Values
from omokage.systems.base import GUIDANCE, IDENTITY_SCALE, POSE_SCALE, SAMPLER, STEPS, Branch, Face, Infer, System, Words, scalar


def branches(infer: Infer, wanted: Words, unwanted: Words, face: Face, knobs: Values) -> list[Branch]:
    """e = (1 - w) e(none) + w e(text, face)."""
    given = {"identity": face.identity, "appearance": face.appearance, "identity_scale": scalar(knobs["identity_scale"])}
    made = infer("context_crossfaceid", given)
    rows = [Branch(knobs["guidance"], wanted.text_kv, made["id_kv"], made["pose_kv"]), Branch(1 - knobs["guidance"], unwanted.text_kv)]
    return [row for row in rows if row.weight != 0]


CROSSFACEID = System(
    "crossfaceid",
    "likeness that leaves expression, angle and accessories to the words",
    (STEPS, SAMPLER, GUIDANCE, IDENTITY_SCALE, POSE_SCALE),
    branches,
)

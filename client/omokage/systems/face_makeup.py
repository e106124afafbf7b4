"""Face-MakeUp (Dai et al. 2025): four tokens of identity and appearance in attention of their own, the pose from the head's own shape."""

from dataclasses import replace

from omokage.knobs import Knob, Values
from omokage.systems.base import GUIDANCE, HOLD, IDENTITY_SCALE, MIX, POSE_SCALE, SAMPLER, STEPS, TURNS, Branch, Face, Infer, System, Words, scalar


def branches(infer: Infer, wanted: Words, unwanted: Words, face: Face, knobs: Values) -> list[Branch]:
    """e = (1 - w) e(none) + w e(text, face)."""
    scales = {"structure_scale": scalar(knobs["structure_scale"]), "identity_scale": scalar(knobs["identity_scale"])}
    made = infer("context_face_makeup", {"identity": face.identity, "appearance": face.appearance, **scales})
    rows = [Branch(knobs["guidance"], wanted.text_kv, made["id_kv"], made["pose_kv"]), Branch(1 - knobs["guidance"], unwanted.text_kv)]
    return [row for row in rows if row.weight != 0]


STRUCTURE_SCALE = Knob("structure_scale", 1.0, 0.0, 2.0, "s: how much of the photo's appearance is kept")
FACE_MAKEUP = System(
    "face-makeup",
    "the strongest likeness, with pose and words",
    (STEPS, SAMPLER, GUIDANCE, IDENTITY_SCALE, STRUCTURE_SCALE, MIX, POSE_SCALE, replace(HOLD, default=0.75), *TURNS),
    branches,
)

"""Face-MakeUp (Dai et al. 2025): four tokens of identity and appearance in attention of their own, the pose from the head's own shape."""

from omokage.knobs import Knob, Values
from omokage.system import COMMON, IDENTITY_SCALE, LIGHT_SCALE, MIX, Branch, Face, Infer, System, Words, scalar


def branches(infer: Infer, wanted: Words, unwanted: Words, face: Face, knobs: Values) -> list[Branch]:
    """e(text, face)."""
    scales = {"structure_scale": scalar(knobs["structure_scale"]), "identity_scale": scalar(knobs["identity_scale"])}
    made = infer("context_face_makeup", {"identity": face.identity, "appearance": face.appearance, **scales})
    return [Branch(1.0, wanted.text_kv, made["id_kv"], made["pose_kv"])]


STRUCTURE_SCALE = Knob("structure_scale", 1.0, 0.0, 2.0, "s: how much of the photo's appearance is kept")
FACE_MAKEUP = System(
    "face-makeup",
    "the strongest likeness, with pose and words",
    (*COMMON, LIGHT_SCALE, IDENTITY_SCALE, STRUCTURE_SCALE, MIX),
    branches,
)

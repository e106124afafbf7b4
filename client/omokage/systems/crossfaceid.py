"""CrossFaceID (Wang et al. 2025): the same shape, learned on different shots of a person, so that expression and angle follow the words."""

from omokage.errors import InvalidRequest
from omokage.knobs import Choice, Values
from omokage.system import COMMON, IDENTITY_SCALE, LIGHT_SCALE, PRIOR_SCALE, TURNS, Branch, Face, Infer, System, Words, scalar

FREE = "free"
SPOKEN = {
    "expression": {
        "neutral": "with a neutral expression",
        "smile": "smiling",
        "open smile": "smiling with teeth showing",
        "laugh": "laughing",
        "surprise": "surprised",
        "raised brows": "with raised brows",
        "anger": "angry",
        "sadness": "sad",
        "open mouth": "with an open mouth",
        "closed eyes": "with closed eyes",
        "pout": "pouting",
    },
    "angle": {
        "front": "facing the camera",
        "left": "head turned to the left",
        "far left": "head turned far to the left",
        "right": "head turned to the right",
        "far right": "head turned far to the right",
        "up": "head raised",
        "down": "head lowered",
    },
    "accessory": {
        "glasses": "wearing round black glasses",
        "sunglasses": "wearing sunglasses",
        "fedora": "wearing a black fedora",
        "beanie": "wearing a black beanie",
        "headband": "wearing a red headband",
        "headscarf": "wearing a blue headscarf",
    },
}
"""Knob -> what may be chosen -> the words that are added. Left and right are the viewer's."""
TURNED = {"left": (-18.0, 0.0), "far left": (-35.0, 0.0), "right": (18.0, 0.0), "far right": (35.0, 0.0), "up": (0.0, 14.0), "down": (0.0, -14.0)}
"""Yaw and pitch of an angle, degrees: the head is turned as the words say."""
MEANINGS = {"expression": "of the face", "angle": "of the head", "accessory": "what is worn"}


def branches(infer: Infer, wanted: Words, unwanted: Words, face: Face, knobs: Values) -> list[Branch]:
    """e(text, face)."""
    given = {"identity": face.identity, "appearance": face.appearance, "identity_scale": scalar(knobs["identity_scale"])}
    made = infer("context_crossfaceid", given)
    return [Branch(1.0, wanted.text_kv, made["id_kv"], made["pose_kv"])]


def worded(words: str, knobs: Values) -> str:
    """The words with those of the knobs after them."""
    return ", ".join([words, *(SPOKEN[knob][knobs[knob]] for knob in SPOKEN if knobs[knob] != FREE)])


def turns(knobs: Values) -> tuple[float, float, float]:
    """Yaw, pitch and roll: the angle's, and what the knobs add to it. Raises InvalidRequest where both together are out of reach."""
    yaw, pitch = TURNED.get(knobs["angle"], (0.0, 0.0))
    found = yaw + knobs["yaw"], pitch + knobs["pitch"], knobs["roll"]
    for knob, degrees in zip(TURNS, found, strict=True):
        if not knob.low <= degrees <= knob.high:
            raise InvalidRequest(
                f"{knob.name} is {degrees:g} with the angle {knobs['angle']!r}, which it is added to; together they must be from {knob.range}"
            )
    return found


CROSSFACEID = System(
    "crossfaceid",
    "likeness that leaves expression, angle and accessories to the words",
    (
        *(*COMMON, LIGHT_SCALE, IDENTITY_SCALE, PRIOR_SCALE),
        *(Choice(name, FREE, (FREE, *said), f"{MEANINGS[name]}, added to the words; free: as they say") for name, said in SPOKEN.items()),
    ),
    branches,
    worded=worded,
    turns=turns,
)

"""Face0 (Valevski et al. 2023): the face takes the last three places of the words."""

from collections.abc import Callable

from omokage.knobs import Knob, Values
from omokage.system import COMMON, LIGHT_SCALE, MIX, Branch, Face, Floats, Infer, System, Words


def branches(infer: Infer, wanted: Words, unwanted: Words, face: Face, knobs: Values) -> list[Branch]:
    """c e(text, face) + (1 - c)(a e(face) + (1 - a) e(text)); what weighs nothing is not computed."""
    together, alone = knobs["together"], knobs["face_share"]
    shares = {"both": together, "face": (1 - together) * alone, "text": (1 - together) * (1 - alone)}

    def with_face(words: Words) -> Floats:
        return infer("context_face0", {"states": words.states, "mask": words.mask, "identity": face.identity, "appearance": face.appearance})[
            "text_kv"
        ]

    made: dict[str, Callable[[], Floats]] = {
        "both": lambda: with_face(wanted),
        "face": lambda: with_face(unwanted),
        "text": lambda: wanted.text_kv,
    }
    return [Branch(share, made[name]()) for name, share in shares.items() if share != 0]


FACE0 = System(
    "face0",
    "likeness from one photo, at the price of the plain model",
    (
        *COMMON,
        LIGHT_SCALE,
        Knob("together", 1.0, 0.0, 1.0, "c: words and face in one prediction; below 1 they are also predicted apart"),
        Knob("face_share", 0.5, 0.0, 1.0, "a: of the predictions apart, the face's share"),
        MIX,
    ),
    branches,
)

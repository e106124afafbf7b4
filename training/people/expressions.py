"""Expressions, as strengths of the 52 ARKit units. Unit names say the person's own left and right; our words the viewer's."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.people.errors import InvalidRequest

STRENGTH_RANGE = (0.5, 1.0)


def both(**units: float) -> dict[str, float]:
    """The same strength on both sides of the face."""
    return {f"{name}{side}": strength for name, strength in units.items() for side in ("Left", "Right")}


@dataclass(frozen=True)
class Expression:
    """Units at strength 1, and the words for it; `binary` units do not scale with the strength (an eye is shut or not)."""

    units: Mapping[str, float]
    words: tuple[str, ...]
    binary: tuple[str, ...] = ()


EXPRESSIONS: dict[str, Expression] = {
    "neutral": Expression({}, ("with a neutral expression", "looking calm", "with a relaxed face")),
    "smile": Expression(
        both(mouthSmile=0.72, cheekSquint=0.35, eyeSquint=0.20, mouthDimple=0.25), ("smiling", "with a closed-mouth smile", "smiling gently")
    ),
    "open smile": Expression(
        both(mouthSmile=0.85, mouthUpperUp=0.38, mouthLowerDown=0.22, cheekSquint=0.45, eyeSquint=0.22) | {"jawOpen": 0.10},
        ("smiling with teeth showing", "with an open smile", "grinning"),
    ),
    "laugh": Expression(
        both(mouthSmile=0.9, mouthUpperUp=0.42, mouthLowerDown=0.25, cheekSquint=0.55, eyeSquint=0.42) | {"jawOpen": 0.34},
        ("laughing", "laughing with an open mouth"),
    ),
    "surprise": Expression(
        both(browOuterUp=0.85, eyeWide=0.85) | {"jawOpen": 0.40, "browInnerUp": 0.85},
        ("surprised", "looking surprised, with raised brows and an open mouth"),
    ),
    "raised brows": Expression(both(browOuterUp=0.8, eyeWide=0.3) | {"browInnerUp": 0.8}, ("with raised brows", "raising the eyebrows")),
    "anger": Expression(
        both(browDown=0.95, noseSneer=0.4, mouthPress=0.45, eyeSquint=0.3, mouthFrown=0.25), ("angry", "frowning angrily", "with an angry frown")
    ),
    "sadness": Expression(
        both(mouthFrown=0.85, eyeSquint=0.15) | {"browInnerUp": 0.9, "mouthShrugLower": 0.35},
        ("sad", "looking sad", "with a sad face"),
    ),
    "fear": Expression(
        both(eyeWide=1.0, mouthStretch=0.6, browOuterUp=0.3, mouthLowerDown=0.3) | {"browInnerUp": 1.0, "jawOpen": 0.16},
        ("afraid", "looking frightened"),
    ),
    "disgust": Expression(
        both(noseSneer=0.95, mouthUpperUp=0.5, browDown=0.5, eyeSquint=0.35, mouthFrown=0.3), ("disgusted", "wrinkling the nose in disgust")
    ),
    "open mouth": Expression({"jawOpen": 0.55}, ("with an open mouth", "with the mouth open")),
    "closed eyes": Expression(both(eyeBlink=1.0, mouthSmile=0.1), ("with closed eyes", "with the eyes closed"), ("eyeBlinkLeft", "eyeBlinkRight")),
    "wink left": Expression(
        {"eyeBlinkRight": 1.0, "cheekSquintRight": 0.6, "mouthSmileRight": 0.5, "mouthSmileLeft": 0.3},
        ("winking with the eye on the left", "with the left eye winking"),
        ("eyeBlinkRight",),
    ),
    "wink right": Expression(
        {"eyeBlinkLeft": 1.0, "cheekSquintLeft": 0.6, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.3},
        ("winking with the eye on the right", "with the right eye winking"),
        ("eyeBlinkLeft",),
    ),
    "pout": Expression({"mouthPucker": 0.85, "mouthShrugLower": 0.2}, ("pouting", "with pouted lips")),
    "puffed cheeks": Expression({"cheekPuff": 1.0} | both(mouthPress=0.3), ("with puffed cheeks", "puffing out the cheeks")),
    "smirk left": Expression(
        {"mouthSmileRight": 0.85, "cheekSquintRight": 0.4, "mouthDimpleRight": 0.4, "mouthLeft": 0.0},
        ("with a smirk to the left", "smirking on the left side"),
    ),
    "smirk right": Expression(
        {"mouthSmileLeft": 0.85, "cheekSquintLeft": 0.4, "mouthDimpleLeft": 0.4}, ("with a smirk to the right", "smirking on the right side")
    ),
}
CHANCES: dict[str, float] = {
    "neutral": 0.16, "smile": 0.16, "open smile": 0.12, "laugh": 0.06, "surprise": 0.06, "raised brows": 0.04, "anger": 0.06, "sadness": 0.05,
    "fear": 0.03, "disgust": 0.03, "open mouth": 0.05, "closed eyes": 0.05, "wink left": 0.02, "wink right": 0.02, "pout": 0.03,
    "puffed cheeks": 0.02, "smirk left": 0.02, "smirk right": 0.02,
}  # fmt: skip


def units_of(name: str, strength: float) -> dict[str, float]:
    """Unit strengths 0..1 of an expression.

    Raises InvalidRequest for an unknown name, or a strength outside STRENGTH_RANGE.
    """
    if name not in EXPRESSIONS:
        raise InvalidRequest(f"unknown expression {name!r}; choose one of: {', '.join(EXPRESSIONS)}")
    low, high = STRENGTH_RANGE
    if not low <= strength <= high:
        raise InvalidRequest(f"expression strength is {strength}, it must be from {low} to {high}")
    expression = EXPRESSIONS[name]
    return {unit: value if unit in expression.binary else value * strength for unit, value in expression.units.items()}

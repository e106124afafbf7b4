"""Words for what heads wear that captions do not have, as people type them, and others that speak of none of it."""

from collections.abc import Mapping

from export.overlay import LAYERS, MOUTH
from training.mini.worn import CLOSED, COLOURS

NOUNS: dict[str, dict[str, tuple[str, ...]]] = {
    "hat": {
        "fedora": ("hat", "felt hat", "trilby"),
        "beanie": ("woolly hat", "knit cap", "cap", "winter hat"),
        "headband": ("hair band",),
        "headscarf": ("scarf over the hair", "hijab"),
    },
    "glasses": {
        "round": ("round spectacles", "round eyeglasses"),
        "rectangular": ("spectacles", "eyeglasses", "glasses", "reading glasses"),
        "oval": ("oval spectacles",),
        "square": ("square spectacles",),
        "sunglasses": ("dark glasses", "shades"),
    },
}
CLOSED_EYES = ("asleep", "sleeping", "eyes shut", "with shut eyes", "eyes closed", "dozing")
OPEN_MOUTH = ("mouth wide open", "open-mouthed", "with the mouth wide open", "shouting", "yawning", "singing", "screaming", "gaping")
NOTHING = (
    *("bareheaded", "without glasses", "without a hat", "no glasses", "no hat", "with open eyes", "blinking lights", "looking at the camera"),
    *("with black hair", "with long red hair", "in a black jumper", "a green scarf round the neck", "a black background", "in front of white tiles"),
    *("the prime minister", "the president", "a king", "a queen", "an astronaut", "a doctor", "a teacher", "a farmer", "a soldier", "a chef"),
    *("an office worker", "a student at university", "a rock star", "a hero of a film", "a passport photo", "a business portrait", "a selfie"),
    *("at a party", "on a mountain", "in the rain", "on the moon", "at night in a city", "in a kitchen", "by a window", "in autumn", "at the sea"),
    *("an oil painting", "a pencil drawing", "a watercolour", "a comic", "an old photograph", "black and white", "a film still", "masterpiece"),
    *("a person", "somebody", "my friend", "a happy couple", "a portrait", "a photo", "sharp focus", "high quality", "cinematic light", "a dog"),
    *("a baby", "an old man with a beard", "a young woman with curly hair", "a child", "a grandmother", "a man with a moustache", "freckles"),
    *("reading a book", "drinking coffee", "playing the guitar", "thinking", "serious", "angry", "a glass of water", "a room with glass walls"),
    *("smiling", "with closed lips", "with a closed mouth"),
)
LEADS = ("a portrait of a person wearing {}", "with {}", "{}")
Phrase = tuple[str, Mapping[str, str], str | None]
"""Words, the kinds that they ask for by layer, and their colour."""


def phrases() -> list[Phrase]:
    found: list[Phrase] = [(text, {}, None) for text in NOTHING]
    found += [(text, {layer: layer for layer in CLOSED["closed eyes"]}, None) for text in CLOSED_EYES]
    found += [(text, {MOUTH: LAYERS[MOUTH][0]}, None) for text in OPEN_MOUTH]
    for layer, kinds in NOUNS.items():
        for kind, nouns in kinds.items():
            for k, noun in enumerate(nouns):
                for n, colour in enumerate((None, *COLOURS[layer])):
                    words = " ".join(word for word in ("a" if layer == "hat" else None, colour, noun) if word)
                    found.append((LEADS[(k + n) % len(LEADS)].format(words), {layer: kind}, colour))
    return found

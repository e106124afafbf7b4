"""How the generator is trained, in its stages."""

from dataclasses import dataclass, replace

from export.families import FAMILIES, UnetShape
from training.mini.loop import Schedule


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Who is in a batch, and how often something is left out. `shares` and `same_shot` are in the order of SYSTEMS."""

    schedule: Schedule = Schedule(steps=780, batch=12, learning_rate=2.5e-4, warmup=40, decay=0.8, average=0.997, minutes_between_checkpoints=14)
    shape: UnetShape = FAMILIES["mini"].unet
    shares: tuple[float, ...] = (0.16, 0.25, 0.25, 0.34)  # of a batch
    same_shot: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)  # how often the face is the picture's own, not one of another shot
    posed: float = 0.84  # of the rows: the ControlNet sees the head. Where a face lies is known then, and what it looks like is learned sooner
    textured: float = 0.85  # of those: its texture is laid onto it, too
    moved: float = 0.6  # of those: the head's shape is the picture's own, with its expression; in the others the shot's that the face is taken from
    no_words: float = 0.12
    face_weight: float = 4.0  # of the loss inside the face, above 1
    likeness: float = 0.2  # weight of how unlike the person the clean pictures are that are predicted from the head of another shot
    known: float = 0.5  # of the rows with a texture: the noisy picture has the texture's head in it, as portraits have
    known_steps: tuple[int, int] = (250, 900)  # in less noisy ones a head that is held needs nothing more
    kept: float = 0.5  # of those: the head is the picture's own with its texture, and kept, as in portraits; what is round it learns to go with it
    kept_steps: tuple[int, int] = (20, 980)
    known_until: int = 20  # of the sheet's portraits, as served, but for the head's border
    shown: int = 8  # people of the sheet
    shown_steps: int = 12
    guidance: float = 2.5
    judged: int = 192  # pictures of the loss on people never trained on
    trained: tuple[str, ...] = ()  # the parts that learn; none named: all


BASE = GeneratorConfig(
    schedule=Schedule(steps=4000, batch=12, learning_rate=6e-4, warmup=100, decay=0.0, average=0.998, minutes_between_checkpoints=10),
    shares=(0.16, 0.20, 0.64, 0.0),
    same_shot=(0.0, 0.5, 0.5, 0.0),
    no_words=0.3,
    likeness=0.0,
    kept=0.0,
)
"""The first stage: composition, words and poses. Half of the faces are the picture's own: copying opens the way from a face to the picture,
which other shots alone hardly do; the next stage takes it away again. Without words the face has more to say, so they are often left out. Likeness
is not asked for yet: there is no face to be like anybody. One face context learns for two: the next stage begins crossfaceid's as face-makeup's."""

OTHER_SHOT = GeneratorConfig(
    schedule=Schedule(steps=400, batch=24, learning_rate=4e-4, warmup=40, decay=0.5, average=0.98, minutes_between_checkpoints=8),
    shares=(0.0, 0.0, 0.0, 1.0),
    posed=0.5,
    kept=0.0,
    trained=("cross", "cross_kv"),
)
"""For the evaluation only: crossfaceid's context, trained on beside all else, with the face of another shot as ever. Half of the rows have no
pose: there the face's context alone may tell the expression."""
SAME_SHOT = replace(OTHER_SHOT, same_shot=(0.0, 0.0, 0.0, 1.0))
"""The same with the face of the very picture."""

"""What a system is: its knobs, and how its guidance branches come from words and face."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from omokage.knobs import Choice, Knob, Values
from omokage.presets import DEFAULT, PRESETS
from omokage.samplers import SAMPLERS

if TYPE_CHECKING:
    from omokage.passes import Passes

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]
Infer = Callable[[str, Arrays], Arrays]
"""(model, inputs) -> outputs: over gRPC in the client, by Triton's own calls in the server."""

PRESET = Choice("preset", DEFAULT, tuple(PRESETS), "what the other knobs are where they are not given")
STEPS = Knob("steps", 20, 1, 100, "denoising steps; more are slower and finer")
SAMPLER = Choice("sampler", "ddim", tuple(SAMPLERS), "how one step leads to the next")
GUIDANCE = Knob("guidance", 3.0, 1.0, 15.0, "how strongly words and face are followed; 1 is not at all strengthened")
APART, FOLDED = "apart", "folded"
GUIDED = Choice(
    "guided",
    APART,
    (APART, FOLDED),
    "apart: what is not wanted is predicted, too, which takes twice as long; folded: by keys and values that were taught to be as guided, "
    "as if nothing were unwanted",
)
MOST_FOLDED = 5.0  # guidance that it was taught
GUIDED_SHARE = Knob(
    "guided_share",
    0.5,
    0.0,
    1.0,
    f"share of the steps, the first ones, that are guided apart; the others are by folded guidance, of {MOST_FOLDED:g} at most, in half the time",
)
IDENTITY_SCALE = Knob("identity_scale", 1.0, 0.0, 1.5, "strength of the face")
PRIOR_SCALE = Knob("prior_scale", 0.5, 0.0, 1.3, "strength of what was learned of the person, where the passport has it")
MIX = Knob("mix", 0.5, 0.0, 1.0, "share of the other person, where one is given")
TURNS = (
    Knob("yaw", 0.0, -45.0, 45.0, "degrees that the head turns to the viewer's right"),
    Knob("pitch", 0.0, -25.0, 25.0, "degrees that the head is raised"),
    Knob("roll", 0.0, -20.0, 20.0, "degrees that the head leans to the viewer's right"),
)
"""Without a pose picture the pose is that of the person's own head turned so; as far as the networks have seen heads turned."""
POSE_SCALE = Knob("pose_scale", 1.0, 0.0, 1.5, "strength of the pose")
POSE_EVERY = Knob("pose_every", 2, 1, 5, "the pose is looked at in every so manieth step; between them what it added last is added again")
HOLD = Knob(
    "hold",
    0.98,
    0.0,
    1.0,
    "share of the way over which the photo's head is held: more is liker, less leaves what is worn to the words",
)
DETAIL = Knob(
    "detail",
    1.0,
    0.0,
    1.0,
    "how much of the head's own pixels is laid over the portrait, and of what is behind it round it, where it is held for .8 of the way and more; "
    "0: none",
)
EXPRESSION_SCALE = Knob(
    "expression_scale",
    1.0,
    0.0,
    1.5,
    "how far the head's shape takes on the expression of the words; 0: as in the photo, 1: as was guided when it was learned",
)
LIGHT_SCALE = Knob(
    "light_scale",
    0.8,
    0.0,
    1.5,
    "how far the head takes on the light of the words, or a usual one where they say nothing of it; 0: as in the photo; 1: as taught",
)
OVERLAY_SCALE = Knob(
    "overlay_scale",
    1.0,
    0.0,
    1.0,
    "how much is seen of the open mouth's inside, closed lids, glasses and hat that the words put over the head; 0: they are left to the network",
)


COMMON = (PRESET, STEPS, SAMPLER, GUIDANCE, GUIDED, GUIDED_SHARE, POSE_SCALE, POSE_EVERY, HOLD, DETAIL, EXPRESSION_SCALE, OVERLAY_SCALE, *TURNS)
"""What every system has."""


@dataclass(frozen=True)
class Words:
    """Of one prompt: states [1, 77, D], mask [1, 77], text_kv [1, 77, S]."""

    states: Floats
    mask: Floats
    text_kv: Floats


@dataclass(frozen=True)
class Face:
    """Of one person: identity [1, 128], appearance [1, 98, 256], shape [1, 468, 3] (`surface.from_the_front`), texture [1, 3, 192, 192] in 0..1."""

    identity: Floats
    appearance: Floats
    shape: Floats
    texture: Floats

    @classmethod
    def of(cls, found: Mapping[str, Floats]) -> Self:
        """Out of what `encode_person` gives, or a passport has."""
        return cls(**{one.name: found[one.name] for one in fields(cls)})

    def towards(self, other: "Face", share: float) -> "Face":
        """Between this person and another: 0 is this one, 1 the other. Vectors are mixed as they are, as Face-MakeUp's author code does."""
        return Face.of({name: one + np.float32(share) * (getattr(other, name) - one) for name, one in vars(self).items()})


@dataclass(frozen=True)
class Branch:
    """A row of the UNet's batch, and its weight in the sum; without a face `id_kv` and `pose_kv` are None. In the steps after the guided ones its
    weight is `alone`, and if that is 0 it is not computed; its keys and values are then `alone_kv`,
    of words [1, 77, S] and face [1, tokens, S]. None: the same."""

    weight: float
    text_kv: Floats
    id_kv: Floats | None = None
    pose_kv: Floats | None = None
    alone: float | None = None
    alone_kv: tuple[Floats, Floats] | None = None


Branches = Callable[[Infer, Words, Words, Face, Values], list[Branch]]


def by_scales(knobs: Values) -> float:
    """The strength of the face, and (where a system has it) of its appearance."""
    return float(min(1.0, knobs.get("identity_scale", 1.0) * knobs.get("structure_scale", 1.0)))


def as_set(knobs: Values) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the knobs."""
    return knobs["yaw"], knobs["pitch"], knobs["roll"]


def as_they_are(words: str, knobs: Values) -> str:
    return words


@dataclass(frozen=True)
class System:
    """`branches`: (infer, wanted words, unwanted words, face, knobs) -> what is wanted, weights of sum 1; `pictures`: what it takes beside a person.

    One with a knob `mix` takes a second person. `worded`: (words, knobs) -> the words that are encoded. `turns`: how the person's own head is turned
    where no picture shows a pose, in degrees of yaw, pitch and roll. `textured`: knobs -> 0..1, how much of the face's texture is seen there.
    `needs`: the pictures that must be given; `personal`: the passport must have a personal prior; `passes`: how a picture is made (None: from noise,
    in one pass).
    """

    name: str
    says: str
    knobs: tuple[Knob | Choice, ...]
    branches: Branches
    pictures: tuple[str, ...] = ("pose",)
    worded: Callable[[str, Values], str] = as_they_are
    turns: Callable[[Values], tuple[float, float, float]] = as_set
    textured: Callable[[Values], float] = by_scales
    needs: tuple[str, ...] = ()
    personal: bool = False
    passes: "Passes | None" = None

    @property
    def mixes(self) -> bool:
        return MIX in self.knobs


def scalar(value: float) -> Floats:
    """[1] float32, as the engines take a row's scale."""
    return np.array([value], np.float32)

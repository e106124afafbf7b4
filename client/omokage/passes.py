"""From a sitting to a picture: the one pass that most systems need, and what all passes give."""

from collections.abc import Callable
from dataclasses import dataclass, field

from omokage.frame import Pixels
from omokage.head import composed, placed
from omokage.sitting import Sitting


@dataclass(frozen=True)
class Painted:
    """`pixels` [H, W, 3] of a portrait; `notes` on the pictures that were given; `told`: more to report."""

    pixels: Pixels
    notes: tuple[str, ...] = ()
    told: dict[str, float] = field(default_factory=dict)


Passes = Callable[[Sitting], Painted]


def plain(sitting: Sitting) -> Painted:
    """From noise, in a pose."""
    branches = sitting.branches()
    sitting.watch.done("words and contexts")
    head = placed(sitting.infer, sitting.system, sitting.face, sitting.wanted, sitting.knobs, sitting.pictures.get("pose"))
    sitting.watch.done("pose")
    held, pose = (None, None) if head is None else (sitting.held(head), head.pose)
    latent = sitting.denoised(branches, pose, held)
    sitting.watch.done("denoising")
    return Painted(sitting.decoded(latent, head, composed), notes=() if head is None else tuple(head.notes))

"""What a recipe has at hand while it makes one portrait: the engines, the person, the words, the knobs, and the loop over the steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from omokage import guidance
from omokage.denoising import Denoise, Known, OnStep, Pose, Shapes, Task
from omokage.frame import Pixels
from omokage.head import Head, detailed, hold_of, wholly
from omokage.knobs import Values
from omokage.pixels import pixels
from omokage.prior import Prior
from omokage.samplers import INVERSE, SCHEDULES, Schedule
from omokage.system import Branch, Face, Floats, Infer, System, Words
from omokage.watch import Watch

Lay = Callable[[Floats, Head, float], Floats]
"""How a head is laid over a portrait [1, 3, H, W] in -1..1, so much of it: `head.detailed`, `head.composed`, or a system's own way."""


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """`about`: what the server is; `prior`: what was learned of the person, None where nothing was; its change is in `wanted` and `unwanted`
    already."""

    infer: Infer
    denoise: Denoise
    system: System
    knobs: Values
    about: Mapping[str, Any]
    face: Face
    prior: Prior | None
    wanted: Words
    unwanted: Words
    seed: int
    pictures: Mapping[str, bytes]
    on_step: OnStep | None = None
    watch: Watch = field(default_factory=Watch)

    @property
    def schedule(self) -> Schedule:
        return Schedule(SCHEDULES[self.about["schedule"]](), self.about["prediction"])

    @property
    def size(self) -> int:
        """Pixels of a portrait's side."""
        return int(self.about["size"])

    @cached_property
    def wished(self) -> list[Branch]:
        """What is wanted, before it is strengthened; asked of the engines once."""
        found = self.system.branches(self.infer, self.wanted, self.unwanted, self.face, self.knobs)
        if self.prior is None:
            return found
        return [
            branch if branch.id_kv is None else replace(branch, id_kv=self.prior.seen(branch.id_kv, self.knobs["prior_scale"])) for branch in found
        ]

    def branches(self) -> list[Branch]:
        """All rows of the batch."""
        return guidance.strengthened(self.infer, self.wished, self.unwanted, self.about["face_tokens"], self.knobs)

    def denoised(self, branches: Sequence[Branch], pose: Pose | None, held: Known | None, start: Floats | None = None) -> Floats:
        """Clean latents [1, C, h, w] by the knobs."""
        knobs, guided = self.knobs, round(self.knobs["guided_share"] * self.knobs["steps"])
        task = Task(
            self._shapes(), branches, self.schedule, knobs["sampler"], knobs["steps"], self.seed, pose, held, guided, knobs["pose_every"], start
        )
        return self.denoise(task, self.on_step)

    def inverted(self, latent: Floats) -> Floats:
        """[1, C, h, w]: the noise that a picture's latents would come from, by the person's own branches, not strengthened."""
        task = Task(self._shapes(), self.wished, self.schedule, INVERSE, self.knobs["steps"], self.seed, start=latent)
        return self.denoise(task, None)

    def held(self, head: Head) -> Known:
        """A head that is held as the knob says, its outermost cells for less."""
        return Known(head.latent, head.cover, hold_of(head.inside, self.knobs["hold"]), self.schedule)

    def decoded(self, latent: Floats, head: Head | None, lay: Lay = detailed) -> Pixels:
        """[size, size, 3]: a portrait, with its head laid over it so far as the knobs say."""
        picture = self.infer("vae_decoder", {"latent": latent})["picture"]
        if head is not None:
            picture = lay(picture, head, wholly(self.knobs["hold"]) * self.knobs["detail"])
        return pixels(picture[0])

    def _shapes(self) -> Shapes:
        channels, height, width = self.about["latent"]
        return Shapes((channels, height, width), self.about["face_tokens"], self.about["pose_width"])

"""Enrolment on one's own machine: the photo never leaves it. Needs `pip install omokage[edge]`, and the engines of the server's family."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from omokage.engine import opened, recipe_of
from omokage.enrolment import Look, Photo, look, looked_at
from omokage.errors import InvalidRequest
from omokage.models import OUTPUTS
from omokage.passport import Passport
from omokage.system import Arrays, Face
from omokage.texts import report_of

NEEDED = ("face_detector", "face_landmarks", "person_mask", "face_texture", "identity_encoder", "appearance_encoder", "face_parsing")


class Engines:
    """The engines that a passport needs, out of a folder of them."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidRequest for what is missing."""
        self._sessions = {}
        for name in NEEDED:
            engine = folder / name / "model.onnx"
            self._sessions[name] = opened(engine, name)
            self.family = str(recipe_of(engine, name)["family"])

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        return dict(zip(OUTPUTS[model], self._sessions[model].run(list(OUTPUTS[model]), inputs), strict=True))


def enroll(photos: Sequence[Photo] | Photo, engines: Path, *, name: str = "", purposes: Sequence[str] = (), expires: date | None = None) -> Passport:
    """The passport that the server would make. Raises InvalidRequest."""
    try:
        from omokage.analysis import analysed
    except ImportError:
        raise InvalidRequest("OpenCV is not installed; run `pip install omokage[edge]`") from None
    local = Engines(engines)

    def see(photo: bytes) -> Look:
        seen = analysed(local.infer, photo)
        crops = {name: seen[name] for name in ("face", "head")}
        encoded = local.infer("identity_encoder", {"face": seen["face"]}) | local.infer("appearance_encoder", crops)
        return look(Face.of(seen | encoded), report_of(seen))

    face, notes = looked_at(local.infer, photos, see)
    return Passport(family=local.family, face=face, name=name, purposes=tuple(purposes), expires=expires, notes=notes)

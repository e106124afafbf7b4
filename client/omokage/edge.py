"""Enrolment on one's own machine: the photo never leaves it. Needs `pip install omokage[edge]`, and the engines of the server's family."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from omokage.enrolment import Photo, bytes_of, together
from omokage.errors import InvalidRequest
from omokage.models import OUTPUTS
from omokage.passport import Passport
from omokage.systems.base import Arrays, Face

NEEDED = ("face_detector", "identity_encoder", "appearance_encoder")
MAKE = "give the folder that `make engines` fills, like build/engines/mini/cpu"


class Engines:
    """The three engines that a passport needs, out of a folder of them."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidRequest for what is missing."""
        try:
            import onnxruntime
        except ImportError:
            raise InvalidRequest("onnxruntime is not installed; run `pip install omokage[edge]`") from None
        self._sessions = {}
        for name in NEEDED:
            engine = folder / name / "model.onnx"
            if not engine.exists():
                raise InvalidRequest(f"{folder} has no engine of {name}; {MAKE}")
            self._sessions[name] = onnxruntime.InferenceSession(str(engine), providers=["CPUExecutionProvider"])
        self.family = str(json.loads((folder / NEEDED[0] / "model.onnx.json").read_text())["recipe"]["family"])

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        return dict(zip(OUTPUTS[model], self._sessions[model].run(list(OUTPUTS[model]), inputs), strict=True))


def enroll(photos: Sequence[Photo], engines: Path, *, name: str = "", purposes: Sequence[str] = (), expires: date | None = None) -> Passport:
    """The passport that the server would make. Raises InvalidRequest."""
    try:
        from omokage.analysis import analysed
    except ImportError:
        raise InvalidRequest("OpenCV is not installed; run `pip install omokage[edge]`") from None
    local = Engines(engines)
    faces = []
    for photo in photos:
        crop = analysed(local.infer, bytes_of(photo))["face"]
        identity, appearance = (
            local.infer(model, {"face": crop})[out] for model, out in (("identity_encoder", "identity"), ("appearance_encoder", "appearance"))
        )
        faces.append(Face(identity, appearance))
    return Passport(family=local.family, face=together(faces), name=name, purposes=tuple(purposes), expires=expires)

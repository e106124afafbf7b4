"""The face models that judge the pictures: YuNet finds faces, SFace and dlib's ResNet tell people apart."""

from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from omokage.faces import OUTPUTS, Floats, Image, aligned, found

from export.face_models import clean_models
from training.people.errors import MissingPiece

DLIB_REACH = 1.1  # half a side of dlib's square, in distances of the eyes or from eyes to mouth


class Graders:
    """The three models, one thread each."""

    def __init__(self, folder: Path | None = None) -> None:
        yunet, sface = clean_models(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._yunet, self._sface = (onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]) for path in (yunet, sface))

    def detect(self, image: Image) -> tuple[Floats, Floats] | None:
        """The largest face of an RGB image [H, W, 3] as the server sees it: (box x, y, width, height, and points [5, 2]) in pixels, or None."""
        faces = found(image, self._detect)
        return (faces[0].box, faces[0].points) if faces else None

    def _detect(self, picture: Floats) -> dict[str, Floats]:
        return dict(zip(OUTPUTS, self._yunet.run(OUTPUTS, {"input": picture}), strict=True))

    def sface(self, image: Image, points: Floats) -> Floats:
        """[128] unit identity vector from an RGB image and its five points [5, 2]."""
        vector = self._sface.run(None, {"data": aligned(image, points)[None]})[0][0]
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    @cached_property
    def _dlib(self):  # type: ignore[no-untyped-def]
        try:
            import dlib
            import face_recognition_models as models
        except ImportError as error:
            raise MissingPiece(f"{error.name} is not installed, it is the second recognizer; run `make setup`") from error
        return (
            dlib,
            dlib.shape_predictor(models.pose_predictor_five_point_model_location()),
            dlib.face_recognition_model_v1(models.face_recognition_model_location()),
        )

    def dlib(self, image: Image, points: Floats) -> Floats:
        """[128] identity vector of dlib's ResNet from an RGB image and its five points [5, 2] in pixels.

        dlib's own landmarks are sought in a square round the middle of eyes and mouth: a detector's box is less steady (AUC .977 against .985).
        """
        dlib, shape, network = self._dlib
        eyes, mouth = points[:2].mean(0), points[3:].mean(0)
        reach = DLIB_REACH * max(float(np.linalg.norm(points[0] - points[1])), float(np.linalg.norm(mouth - eyes)))
        x, y = (eyes + mouth) / 2
        place = dlib.rectangle(round(x - reach), round(y - reach), round(x + reach), round(y + reach))
        vector = np.array(network.compute_face_descriptor(np.ascontiguousarray(image), shape(np.ascontiguousarray(image), place)), np.float32)
        return np.asarray(vector, np.float32)

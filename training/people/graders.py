"""The face models that judge the pictures: YuNet finds faces, SFace and dlib's ResNet tell people apart."""

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from export.face_models import clean_models, similarity
from export.specs import DETECTOR_SIDE
from training.people.errors import MissingPiece

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
"""ArcFace's places of the five points in a crop of 112 pixels (Deng et al. 2019)."""
CROP = 112  # pixels
MIN_SCORE = 0.5
DLIB_REACH = 1.1  # half a side of dlib's square, in distances of the eyes or from eyes to mouth


class Graders:
    """The three models, one thread each."""

    def __init__(self, folder: Path | None = None) -> None:
        yunet, sface = clean_models(folder)
        self._detector = cv2.FaceDetectorYN.create(str(yunet), "", (DETECTOR_SIDE, DETECTOR_SIDE), MIN_SCORE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._sface = onnxruntime.InferenceSession(str(sface), options, providers=["CPUExecutionProvider"])

    def detect(self, image: Image) -> tuple[Floats, Floats] | None:
        """The largest face of an RGB image [H, W, 3]: (box x, y, width, height, and points [5, 2]) in pixels, or None.

        The detector sees the image at 640 pixels, as on the server: its points then lie nearer to the truth than at 256
        (median .087 of the eye distance against .113).
        """
        scale = DETECTOR_SIDE / max(image.shape[:2])
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        canvas = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)[..., ::-1]
        _, found = self._detector.detect(canvas)
        if found is None:
            return None
        best = found[np.argmax(found[:, 2] * found[:, 3])] / scale
        return best[:4].astype(np.float32), best[4:14].reshape(5, 2).astype(np.float32)

    def sface(self, image: Image, points: Floats) -> Floats:
        """[128] unit identity vector from an RGB image and its five points [5, 2]."""
        crop = cv2.warpAffine(image, similarity(points, TEMPLATE), (CROP, CROP)).astype(np.float32).transpose(2, 0, 1)[None]
        vector = self._sface.run(None, {"data": crop})[0][0]
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

"""Triton's adapter of face analysis: bytes of a photo to the largest face, with clear refusals."""

import json

import faces
import numpy as np
import photos
import triton_python_backend_utils as pb_utils

DETECTOR = "face_detector"


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        outputs = json.loads(args["model_config"])["output"]
        self.outputs = [port["name"] for port in outputs]
        self.detections = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in faces.STRIDES]

    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        try:
            data = pb_utils.get_input_tensor_by_name(request, "photo").as_numpy().reshape(-1)[0]
            photo = photos.read(bytes(data))
            picture, scale = faces.letterboxed(photo.pixels)
            found = faces.decoded(self._detect(picture), scale)
            face = faces.largest(found)
        except (photos.BadPhoto, faces.NoFace) as error:
            return _failed(str(error), pb_utils.TritonError.INVALID_ARG)
        except Exception as error:  # a text of a library may name files of the server: its kind is enough
            return _failed(f"face analysis failed: {type(error).__name__}", pb_utils.TritonError.INTERNAL)
        notes = list(photo.notes)
        if len(found) > 1:
            notes.append(f"{len(found)} faces were found, the largest was used")
        report = {"width": photo.pixels.shape[1], "height": photo.pixels.shape[0], "faces": len(found), "score": round(face.score, 4), "notes": notes}
        values = {
            "face": faces.aligned(photo.pixels, face.points)[None],
            "box": face.box[None],
            "points": face.points[None],
            "report": np.array([[json.dumps(report)]], object),
        }
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, values[name]) for name in self.outputs])

    def _detect(self, picture):
        asked = pb_utils.InferenceRequest(model_name=DETECTOR, requested_output_names=self.detections, inputs=[pb_utils.Tensor("image", picture)])
        answer = asked.exec()
        if answer.has_error():
            raise RuntimeError(answer.error().message())
        return {name: pb_utils.get_output_tensor_by_name(answer, name).as_numpy() for name in self.detections}


def _failed(text, code):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text, code))

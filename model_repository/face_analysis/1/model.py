"""Triton's adapter of face analysis: bytes of a photo to the largest face, with clear refusals."""

from omokage.analysis import analysed
from omokage.transport import inside_triton
from omokage.transport.inside_triton import infer, string


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def execute(self, requests):
        return inside_triton.answers(requests, lambda request: analysed(infer, string(request, "photo")))

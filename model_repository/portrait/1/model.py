"""Triton's adapter of the one call: a photo or a passport and words to a portrait, by the same recipe that a client can run itself."""

from omokage.transport import inside_triton
from omokage.transport.asking import Asking, Portraits


class TritonPythonModel:
    """One request at a time in each process, answered before Triton gets it back: then Triton itself tells of a process that died."""

    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.portraits = Portraits(args["model_name"])

    def execute(self, requests):
        return inside_triton.answers(requests, self.painted)

    def painted(self, request):
        with self.portraits.one():
            return self.portraits.outputs_of(Asking(request, self.portraits, request.is_cancelled).painted())

    def finalize(self):
        self.portraits.close()

"""Triton's adapter of the one call: a photo or a passport and words to a portrait, by the same recipe that a client can run itself."""

from omokage.transport.one_call import OneCall


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.calls = OneCall(args["model_name"], watched=False)

    def execute(self, requests):
        for request in requests:
            self.calls.take(request)

    def finalize(self):
        self.calls.close()

"""Triton's adapter of the one call that tells every step as it comes."""

from omokage.transport.one_call import OneCall


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.calls = OneCall(args["model_name"], watched=True)

    def execute(self, requests):
        for request in requests:
            self.calls.take(request)

    def finalize(self):
        self.calls.close()

"""Triton's adapter of the one call that tells every step as it comes."""

from live import Streams


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.streams = Streams(args["model_name"])

    def execute(self, requests):
        for request in requests:
            self.streams.take(request)

    def finalize(self):
        self.streams.close()

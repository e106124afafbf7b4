"""Triton's adapter of guidance and sampler: the rows of a request are the branches of one picture."""

import json

import numpy as np
import samplers
import schedule
from omokage.errors import InvalidRequest
from omokage.transport import inside_triton
from omokage.transport.inside_triton import array


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        parameters = {name: value["string_value"] for name, value in json.loads(args["model_config"])["parameters"].items()}
        self.alphas = schedule.SCHEDULES[parameters["schedule"]]()
        self.kind = parameters["prediction"]

    def execute(self, requests):
        return inside_triton.answers(requests, self.stepped)

    def stepped(self, request):
        sample, here, after = array(request, "sample"), int(array(request, "timestep").flat[0]), int(array(request, "next_timestep").flat[0])
        for name in ("sample", "timestep", "next_timestep"):
            rows = array(request, name)
            if (rows != rows[:1]).any():
                raise InvalidRequest(f"the rows of {name} differ; they are the branches of one picture at one step, so send the same in all")
        if not -1 <= after < here < len(self.alphas):
            raise InvalidRequest(f"timestep is {here} and next_timestep {after}; wanted {len(self.alphas) - 1} >= timestep > next_timestep >= -1")
        joined = samplers.guided(array(request, "prediction"), array(request, "weight").reshape(-1))
        alphas = self.alphas[here], self.alphas[after] if after >= 0 else 1.0
        following, clean = samplers.ddim(sample[0], joined, *alphas, self.kind)
        return {name: np.ascontiguousarray(np.broadcast_to(one, sample.shape)) for name, one in (("next_sample", following), ("clean", clean))}

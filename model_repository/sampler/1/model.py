"""Triton's adapter of guidance and sampler: the rows of a request are the branches of one picture."""

import json

import numpy as np
from omokage.errors import InvalidRequest
from omokage.samplers import SCHEDULES, Schedule, advance, begin, guided, jump
from omokage.samplers.table import Table
from omokage.transport import inside_triton
from omokage.transport.inside_triton import array


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        parameters = {name: value["string_value"] for name, value in json.loads(args["model_config"])["parameters"].items()}
        self.schedule = Schedule(SCHEDULES[parameters["schedule"]](), parameters["prediction"])

    def execute(self, requests):
        return inside_triton.answers(requests, self.stepped)

    def stepped(self, request):
        sample, here, after = array(request, "sample"), int(array(request, "timestep").flat[0]), int(array(request, "next_timestep").flat[0])
        for name in ("sample", "timestep", "next_timestep"):
            rows = array(request, name)
            if (rows != rows[:1]).any():
                raise InvalidRequest(f"the rows of {name} differ; they are the branches of one picture at one step, so send the same in all")
        if not -1 <= after < here < len(self.schedule.alphas):
            raise InvalidRequest(
                f"timestep is {here} and next_timestep {after}; wanted {len(self.schedule.alphas) - 1} >= timestep > next_timestep >= -1"
            )
        joined = guided(array(request, "prediction"), array(request, "weight").reshape(-1))
        state, clean = advance(jump(self.schedule, here, after), begin(Table(()), sample[0]), joined)
        made = {"guided": joined, "next_sample": state[0], "clean": clean}
        return {name: np.ascontiguousarray(np.broadcast_to(one, sample.shape)) for name, one in made.items()}

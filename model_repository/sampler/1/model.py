"""Triton's adapter of guidance and sampler: the rows of a request are the branches of one picture."""

import json

import numpy as np
import samplers
import schedule
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        parameters = {name: value["string_value"] for name, value in json.loads(args["model_config"])["parameters"].items()}
        self.alphas = schedule.SCHEDULES[parameters["schedule"]]()
        self.kind = parameters["prediction"]

    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        sample, prediction, timestep, next_timestep, weight = (
            pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in ("sample", "prediction", "timestep", "next_timestep", "weight")
        )
        here, after = int(timestep.flat[0]), int(next_timestep.flat[0])
        if not (0 <= here < len(self.alphas) and -1 <= after < here):
            return _refused(f"timestep is {here} and next_timestep {after}; wanted 999 >= timestep > next_timestep >= -1")
        joined = samplers.guided(prediction, weight.reshape(-1))
        following = samplers.ddim(sample[0], joined, self.alphas[here], self.alphas[after] if after >= 0 else 1.0, self.kind)
        rows = np.broadcast_to(following, sample.shape)
        return pb_utils.InferenceResponse([pb_utils.Tensor("next_sample", np.ascontiguousarray(rows))])


def _refused(text):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text, pb_utils.TritonError.INVALID_ARG))

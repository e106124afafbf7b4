"""What the server is and can do: `omokage systems` prints it, and recipes take their shapes from it."""

import json
from pathlib import Path

import numpy as np
from omokage.systems import described
from omokage.transport import inside_triton


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        family = json.loads((Path(args["model_repository"]) / args["model_version"] / "family.json").read_text())
        self.text = json.dumps({**family, "systems": described()})

    def execute(self, requests):
        return inside_triton.answers(requests, lambda _: {"about": np.array([[self.text]], object)})

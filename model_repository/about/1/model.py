"""What the server is and can do: `omokage systems` prints it, and recipes take their shapes from it."""

import json
from pathlib import Path

import numpy as np
from omokage.installed import digests
from omokage.systems import described
from omokage.transport import inside_triton


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        folder = Path(args["model_repository"])
        family = json.loads((folder / args["model_version"] / "family.json").read_text())
        self.text = json.dumps({**family, **digests(folder.parent), "systems": described()})

    def execute(self, requests):
        return inside_triton.answers(requests, lambda _: {"about": np.array([[self.text]], object)})

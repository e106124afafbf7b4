"""Triton's adapter of the tokenizer: words to token numbers, and what did not fit."""

import json
from pathlib import Path

import numpy as np
import prompts
from omokage.transport import inside_triton


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.tokenizer = prompts.load(Path(args["model_repository"]) / args["model_version"] / "tokenizer.json")

    def execute(self, requests):
        return inside_triton.answers(requests, self.encoded)

    def encoded(self, request):
        ids, mask, cut = prompts.encode(self.tokenizer, inside_triton.words(request, "words"))
        report = np.array([[json.dumps({"cut": cut})]], object)
        return {"ids": ids, "id_mask": mask, "mask": mask.astype(np.float32), "report": report}

"""The recipes' `infer` in this very process: the same engines by the same runtime, without a server between."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from omokage.analysis import analysed, likeness
from omokage.models import OUTPUTS
from omokage.pixels import pixels
from omokage.portrait import text
from omokage.samplers import guided
from omokage.systems import described
from omokage.systems.base import Arrays

from export import specs
from export.families import FAMILIES

REPOSITORY = Path(__file__).resolve().parents[1] / "model_repository"
PLAIN = ("tokenizer", "publisher")
"""Models whose plain halves are used as they are."""


class InProcess:
    """All engines of a repository's version folders, each a session of `threads` (default: as the server's, one a core)."""

    def __init__(self, repository: Path = REPOSITORY, threads: int | None = None) -> None:
        for model in PLAIN:
            sys.path.insert(0, str(REPOSITORY / model / "1"))
        import pictures
        import prompts

        self._pictures, self._prompts = pictures, prompts
        self._repository, self._threads = repository, threads or os.cpu_count() or 1
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._tokenizer = prompts.load(repository / "tokenizer" / "1" / "tokenizer.json")
        self._about = json.loads((REPOSITORY / "about" / "1" / "family.json").read_text())
        self._family = FAMILIES[self._about["family"]]
        self._models: dict[str, Callable[[Arrays], Arrays]] = {
            "about": lambda _: {"about": text(json.dumps({**self._about, "systems": described()}))},
            "face_analysis": lambda given: analysed(self.infer, given["photo"].reshape(-1)[0]),
            "encode_person": self._encode_person,
            "encode_prompt": self._encode_prompt,
            "denoise_step": self._denoise_step,
            "denoise_step_pose": self._denoise_step,
            "finish": self._finish,
        }

    @property
    def family(self) -> str:
        return self._family.name

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        found = self._models[model](inputs) if model in self._models else self._run(model, inputs)
        return {name: found[name] for name in OUTPUTS.get(model, tuple(found))}

    def _run(self, model: str, inputs: Arrays) -> Arrays:
        if model not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            engine = self._repository / model / "1" / "model.onnx"
            self._sessions[model] = onnxruntime.InferenceSession(str(engine), options, providers=["CPUExecutionProvider"])
        session = self._sessions[model]
        names = [port.name for port in session.get_outputs()]
        wanted = {port.name for port in session.get_inputs()}
        return dict(zip(names, session.run(names, {name: value for name, value in inputs.items() if name in wanted}), strict=True))

    def _encode_person(self, given: Arrays) -> Arrays:
        found = analysed(self.infer, given["photo"].reshape(-1)[0])
        return found | self._run("identity_encoder", found) | self._run("appearance_encoder", found)

    def _encode_prompt(self, given: Arrays) -> Arrays:
        ids, mask, cut = self._prompts.encode(self._tokenizer, given["words"].reshape(-1)[0].decode())
        found: Arrays = {"mask": mask.astype(np.float32), "report": text(json.dumps({"cut": cut}))}
        found |= self._run("text_encoder", {"ids": ids, "id_mask": mask})
        return found | self._run("context_text", found)

    def _denoise_step(self, given: Arrays) -> Arrays:
        control = self._run("controlnet_pose", given) if "condition" in given else self._no_control(len(given["sample"]))
        return {"guided": guided(self._run("unet", given | control)["prediction"], given["weight"])[None]}

    def _no_control(self, rows: int) -> Arrays:
        ports = {tensor.name: tensor.shape("min")[1:] for tensor in specs.network(self._family, "unet").inputs if tensor.name.startswith("control")}
        return {name: np.zeros((rows, *shape), np.float32) for name, shape in ports.items()}

    def _finish(self, given: Arrays) -> Arrays:
        image = pixels(self._run("vae_decoder", given)["picture"][0])
        alike = np.float32(likeness(self.infer, image, given["identity"]))
        origin: dict[str, Any] = json.loads(given["origin"].reshape(-1)[0])
        file = self._pictures.png(image, {**origin, "likeness": None if np.isnan(alike) else round(float(alike), 4)})
        return {"image": text(file), "likeness": np.array([[alike]], np.float32)}

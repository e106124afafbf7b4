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
from omokage.installed import digests
from omokage.models import OUTPUTS
from omokage.pixels import pixels
from omokage.samplers import guided
from omokage.system import Arrays
from omokage.systems import described
from omokage.texts import text

from export import specs
from export.families import FAMILIES

REPOSITORY = Path(__file__).resolve().parents[1] / "model_repository"
PLAIN = ("tokenizer", "publisher")
"""Models whose plain halves are used as they are."""
Run = Callable[[Arrays], Arrays]
Open = Callable[[str], Run]
"""A network's name -> what runs it; what it is given and does not know it leaves aside."""


def session(graph: Path, threads: int | None = None, level: str = "ORT_ENABLE_ALL") -> Run:
    """A network by ONNX Runtime on `threads` (default: as the server's, one a core)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.log_severity_level = 3  # of exported graphs it warns that folding constants leaves some unused
    opened = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    names, wanted = [port.name for port in opened.get_outputs()], {port.name for port in opened.get_inputs()}

    def run(given: Arrays) -> Arrays:
        return dict(zip(names, opened.run(names, {name: value for name, value in given.items() if name in wanted}), strict=True))

    return run


def installed(repository: Path = REPOSITORY, threads: int | None = None) -> Open:
    """The engines of a repository's version folders."""
    return lambda model: session(repository / model / "1" / "model.onnx", threads)


class InProcess:
    """The recipes' models over engines, each opened when it is first asked."""

    def __init__(self, repository: Path = REPOSITORY, threads: int | None = None, opening: Open | None = None) -> None:
        """`opening`: how networks are run (default: the engines of the repository)."""
        for model in PLAIN:
            sys.path.insert(0, str(REPOSITORY / model / "1"))
        import pictures
        import prompts

        self._pictures, self._prompts = pictures, prompts
        self._open = opening or installed(repository, threads)
        self._opened: dict[str, Run] = {}
        self._tokenizer = prompts.load(repository / "tokenizer" / "1" / "tokenizer.json")
        self._about = json.loads((REPOSITORY / "about" / "1" / "family.json").read_text()) | digests(repository)
        self._family = FAMILIES[self._about["family"]]
        self._models: dict[str, Callable[[Arrays], Arrays]] = {
            "about": lambda _: {"about": text(json.dumps({**self._about, "systems": described()}))},
            "face_analysis": lambda given: analysed(self.infer, given["photo"].reshape(-1)[0]),
            "encode_person": self._encode_person,
            "encode_prompt": self._encode_prompt,
            "denoise_step": self._denoise_step,
            "denoise_step_pose": self._denoise_step,
            "finish": self._finish,
            "publisher": self._published,
        }

    @property
    def family(self) -> str:
        return self._family.name

    def infer(self, model: str, inputs: Arrays) -> Arrays:
        found = self._models[model](inputs) if model in self._models else self._run(model, inputs)
        return {name: found[name] for name in OUTPUTS.get(model, tuple(found))}

    def _run(self, model: str, inputs: Arrays) -> Arrays:
        if model not in self._opened:
            self._opened[model] = self._open(model)
        return self._opened[model](inputs)

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
        return self._published(given | self._run("vae_decoder", given))

    def _published(self, given: Arrays) -> Arrays:
        image = pixels(given["picture"][0])
        alike = np.float32(likeness(self.infer, image, given["identity"]))
        origin: dict[str, Any] = json.loads(given["origin"].reshape(-1)[0])
        file = self._pictures.png(image, {**origin, "likeness": None if np.isnan(alike) else round(float(alike), 4)})
        return {"image": text(file), "likeness": np.array([[alike]], np.float32)}

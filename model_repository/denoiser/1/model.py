"""Triton's adapter of the denoiser: requests to jobs, the loop in a thread of its own, answers as they come."""

import json
import threading
from pathlib import Path

import numpy as np
import runners
import triton_python_backend_utils as pb_utils
from given import job_of
from loop import Denoiser
from meters import TritonMeters
from omokage.portrait import text
from omokage.samplers import SCHEDULES, Schedule
from omokage.transport import inside_triton

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class Answers:
    """Who asked, by Triton's sender. `every`: how many steps lie between two that are told, 0 for none; `named`: whether an error is an output, as
    for another model, which Triton does not hand an error after an answer."""

    def __init__(self, sender, every, *, named):
        self.sender, self.every, self.named = sender, every, named

    def stepped(self, number, steps, clean):
        if self.every and (number % self.every == 0 or number == steps):
            self.send({"step": np.array([[number]], np.int64), "steps": np.array([[steps]], np.int64), "clean": clean})

    def done(self, latent):
        self.send({"latent": latent}, FINAL)

    def failed(self, error):
        if self.named:
            self.send({"error": text(inside_triton.said(error))}, FINAL)
        else:
            self.send(error, FINAL)

    def cancelled(self):
        return self.sender.is_cancelled()

    def send(self, outputs, flags=0):
        """What goes wrong here is one job's own: the loop goes on for the others."""
        try:
            response = inside_triton.failure(outputs) if isinstance(outputs, Exception) else inside_triton.response(outputs)
            self.sender.send(response, flags=flags)
        except Exception as error:
            pb_utils.Logger.log_error(f"an answer could not be sent: {type(error).__name__}")


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        config = json.loads(args["model_config"])
        parameters = {name: value["string_value"] for name, value in config["parameters"].items()}
        self.schedule = Schedule(SCHEDULES[parameters["schedule"]](), parameters["prediction"])
        sides = {port["name"]: tuple(int(side) for side in port["dims"][1:]) for port in (*config["input"], *config["output"])}
        repository = Path(args["model_repository"]).parent
        if parameters["networks"] == "here":
            unet, controlnet = runners.here(repository, "unet"), runners.here(repository, "controlnet_pose")
        else:
            unet = runners.by_triton("unet", ["prediction"])
            controlnet = runners.by_triton("controlnet_pose", parameters["residuals"].split())
        self.shape = sides["latent"]
        self.meters = TritonMeters()
        self.denoiser = Denoiser(
            unet,
            controlnet,
            latent=self.shape,
            sides={name: sides[name] for name in ("text_kv", "id_kv")},
            posed_sides={name: sides[name] for name in ("condition", "pose_kv")} | {"strength": ()},
            meters=self.meters,
        )
        if parameters["networks"] == "here":
            self.denoiser.warm_up()  # Triton's own models cannot be called yet
        self.over = False
        self.thread = threading.Thread(target=self.denoiser.run, args=(lambda: self.over,))
        self.thread.start()

    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            try:
                self.take(request, sender)
            except Exception as error:
                sender.send(inside_triton.failure(error), flags=FINAL)

    def take(self, request, sender):
        name = inside_triton.words(request, "cancel")
        if name is not None:
            self.denoiser.cancel(name)
            sender.send(flags=FINAL)
            return
        answers = Answers(sender, inside_triton.whole(request, "every", 0), named=inside_triton.optional(request, "job") is not None)
        self.denoiser.submit(job_of(lambda name: inside_triton.optional(request, name), self.schedule, self.shape, answers))

    def finalize(self):
        self.over = True
        self.thread.join()
        self.meters.close()

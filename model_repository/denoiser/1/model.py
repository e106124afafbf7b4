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
from omokage import engine
from omokage.samplers import SCHEDULES, Schedule
from omokage.transport import inside_triton, lending
from omokage.transport.beside import Listening

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class Answers:
    """For the loop: whoever asked, another process of the server or a client of Triton's. `every`: how many steps lie between two that are told,
    0 for none."""

    def __init__(self, caller, every):
        self.caller, self.every = caller, every

    def stepped(self, number, steps, clean):
        if self.every and (number % self.every == 0 or number == steps):
            self.caller.send({"step": np.array([[number]], np.int64), "steps": np.array([[steps]], np.int64), "clean": clean})

    def done(self, latent):
        self.caller.send({"latent": latent}, last=True)

    def failed(self, error):
        self.caller.send(error, last=True)

    def cancelled(self):
        return self.caller.gone()


class ByTriton:
    """A client of Triton's own, as `beside.Caller` is another process."""

    def __init__(self, sender, meters):
        self.sender, self.meters = sender, meters
        meters.asked(1)

    def send(self, answer, *, last=False):
        """What goes wrong here is one job's own: the loop goes on for the others."""
        try:
            response = inside_triton.failure(answer) if isinstance(answer, Exception) else inside_triton.response(answer)
            self.sender.send(response, flags=FINAL if last else 0)
        except Exception as error:
            pb_utils.Logger.log_error(f"an answer could not be sent: {type(error).__name__}")
        if last:
            self.meters.asked(-1)

    def gone(self):
        return self.sender.is_cancelled()


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        engine.keep_pages()
        config = json.loads(args["model_config"])
        parameters = {name: value["string_value"] for name, value in config["parameters"].items()}
        self.schedule = Schedule(SCHEDULES[parameters["schedule"]](), parameters["prediction"])
        ports = {port["name"]: tuple(int(side) for side in port["dims"]) for port in (*config["input"], *config["output"])}
        sides = {name: () if dims[1:] == (1,) else dims[1:] for name, dims in ports.items()}  # one number a row has no side
        posed = parameters["posed"].split()
        repository = Path(args["model_repository"]).parent
        networks = runners.chosen(parameters["networks"], repository, parameters["residuals"].split())
        self.lent = runners.lent(networks, parameters["networks"], repository)
        self.shape, self.posed_sides = sides["latent"], {name: (ports[name][0], *sides[name]) for name in posed}
        self.meters = TritonMeters()
        self.denoiser = Denoiser(
            networks.unet,
            networks.controlnet,
            latent=self.shape,
            sides={name: sides[name] for name in ("text_kv", "id_kv")},
            posed_sides={name: sides[name] for name in posed},
            meters=self.meters,
            where=networks.where,
        )
        if networks.warm:
            self.denoiser.warm_up(networks.warm)
        self.over = False
        self.thread = threading.Thread(target=self.denoiser.run, args=(lambda: self.over,))
        self.thread.start()
        self.listening = Listening(args["model_name"], self.hear)

    def execute(self, requests):
        for request in requests:
            sender, name = request.get_response_sender(), inside_triton.string(request, "cancel")
            if name is not None:
                self.denoiser.cancel(name.decode(errors="replace"))
                sender.send(flags=FINAL)
                continue
            caller = ByTriton(sender, self.meters)
            try:
                self.take(lambda name, request=request: inside_triton.optional(request, name), caller)
            except Exception as error:
                caller.send(error, last=True)

    def hear(self, inputs, caller):
        """From another process: a job, or a call of one of the networks. Raises what is to be answered."""
        if lending.NETWORK in inputs:
            lending.answer(self.lent, inputs, caller)
        else:
            self.take(inputs.get, caller)

    def take(self, given, caller):
        """`given`: inputs by name, None where they were left out. Raises what is to be answered."""
        every = given("every")
        answers = Answers(caller, 0 if every is None else int(every.flat[0]))
        self.denoiser.submit(job_of(given, self.schedule, self.shape, self.posed_sides, answers))

    def finalize(self):
        self.listening.close()
        self.over = True
        self.thread.join()
        self.meters.close()

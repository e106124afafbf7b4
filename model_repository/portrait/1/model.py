"""Triton's adapter of the one call: a photo or a passport and words to a portrait, by the same recipe that a client can run itself."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils
from omokage.errors import InvalidRequest
from omokage.passport import Passport
from omokage.portrait import DEFAULT_SYSTEM, Order, paint
from omokage.transport import inside_triton
from omokage.transport.inside_triton import infer, string, words

PICTURES = ("pose",)


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        self.gauge = pb_utils.MetricFamily(
            name="omokage_portraits_running", description="portraits being made", kind=pb_utils.MetricFamily.GAUGE
        )  # its metrics die with it
        self.running = self.gauge.Metric(labels={"instance": args["model_instance_name"]})

    def execute(self, requests):
        self.running.increment(len(requests))
        try:
            return inside_triton.answers(requests, painted)
        finally:
            self.running.increment(-len(requests))


def painted(request):
    made = paint(infer, ordered(request))
    likeness = np.nan if made.likeness is None else made.likeness
    return {
        "image": np.array([[made.image]], object),
        "likeness": np.array([[likeness]], np.float32),
        "report": np.array([[json.dumps(made.report)]], object),
    }


def ordered(request):
    """The order in a request; what is left out has its default."""
    passport, other = (None if (data := string(request, name)) is None else Passport.from_bytes(data) for name in ("passport", "other"))
    seed, character = (inside_triton.optional(request, name) for name in ("seed", "character"))
    return Order(
        words=words(request, "words"),
        unwanted=words(request, "unwanted") or "",
        photo=string(request, "photo"),
        passport=passport,
        character=None if character is None else int(character.flat[0]),
        other=other,
        system=words(request, "system") or DEFAULT_SYSTEM,
        seed=0 if seed is None else int(seed.flat[0]),
        knobs=knobs(words(request, "knobs") or "{}"),
        pictures={name: picture for name in PICTURES if (picture := string(request, name)) is not None},
    )


def knobs(text):
    """A JSON object of numbers by name."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f'knobs is not JSON ({error}); send an object like {{"steps": 20}}') from None
    if not isinstance(found, dict):
        raise InvalidRequest(f'knobs is {type(found).__name__} in JSON; send an object like {{"steps": 20}}')
    return found

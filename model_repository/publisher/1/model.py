"""Triton's adapter of the publisher: a picture to a PNG file that says how it was made, and how like the person it is."""

import json

import numpy as np
import pictures
from omokage import engine
from omokage.analysis import likeness
from omokage.errors import InvalidRequest
from omokage.pixels import pixels
from omokage.transport import inside_triton
from omokage.transport.inside_triton import array, infer, words


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        return config

    def initialize(self, args):
        engine.keep_pages()

    def execute(self, requests):
        return inside_triton.answers(requests, published)


def published(request):
    image = pixels(array(request, "picture")[0])
    try:
        origin = json.loads(words(request, "origin"))
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"origin is not JSON ({error}); send an object of what is to be written into the file") from None
    if not isinstance(origin, dict):
        raise InvalidRequest(f"origin is {type(origin).__name__} in JSON; send an object of what is to be written into the file")
    alike = likeness(infer, image, array(request, "identity"))
    file = pictures.png(image, {**origin, "likeness": None if np.isnan(alike) else round(alike, 4)})
    return {"image": np.array([[file]], object), "likeness": np.array([[alike]], np.float32)}

"""Requests painted side by side in threads, every step told, and let go of when nobody waits for them any more."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import triton_python_backend_utils as pb_utils
from omokage.errors import Busy
from omokage.texts import text
from omokage.transport import inside_triton
from omokage.transport.asking import Asking, Mean, Portraits

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
MOST = 64  # requests at once: more than the denoiser takes, so that it is the one that says when it is full
LOOK_SECONDS = 0.05  # between two looks at who is gone


class Stream:
    """To whoever asked. `gone`: set once they gave it up; `name`: that they gave it, to give it up by."""

    def __init__(self, request):
        self.gone, self.name = threading.Event(), inside_triton.string(request, "job")
        self.sender, self.answered, self.lock = request.get_response_sender(), False, threading.Lock()

    def look(self):
        """Asks Triton: the stream was closed, or its client's process killed."""
        with self.lock:
            if not self.answered and not self.gone.is_set() and self.sender.is_cancelled():
                self.gone.set()

    def tell(self, step, steps, picture):
        told = {"step": np.array([[step]], np.int64), "steps": np.array([[steps]], np.int64), "preview": text(picture)}
        with self.lock:
            self.sender.send(inside_triton.response(told))

    def end(self, response):
        with self.lock:
            self.answered = True  # from here on Triton is not to be asked about it: the whole server would fall
            self.sender.send(response, flags=FINAL)


class Streams:
    def __init__(self, model):
        self.portraits, self.whole = Portraits(model), Mean()
        self.live, self.over = set(), threading.Event()
        self.pool = ThreadPoolExecutor(MOST)
        self.looker = threading.Thread(target=self.look, daemon=True)
        self.looker.start()

    def take(self, request):
        """It is answered later, by a thread of its own; at once if there are too many."""
        leaving = inside_triton.string(request, "cancel")
        if leaving is not None:
            for stream in list(self.live):
                if stream.name == leaving:
                    stream.gone.set()
            request.get_response_sender().send(flags=FINAL)
            return
        self.portraits.running.add(1)  # first of all: should this process die now, the supervisor sees that somebody waits
        stream = Stream(request)
        try:
            if len(self.live) >= MOST:
                self.portraits.refused.add(1)
                raise Busy(f"{MOST} requests are under way already; try again in about {max(self.whole.value / MOST, 0.1):.1f} s")
            asking = Asking(request, self.portraits, stream.gone.is_set)
        except Exception as error:
            stream.end(inside_triton.failure(error))
            self.portraits.running.add(-1)
            return
        self.live.add(stream)
        self.pool.submit(self.paint, stream, asking)

    def paint(self, stream, asking):
        began = time.monotonic()
        try:
            stream.end(inside_triton.answer(lambda: self.portraits.outputs_of(asking.painted(stream.tell))))
        finally:
            self.live.discard(stream)
            self.portraits.running.add(-1)
            self.whole.add(time.monotonic() - began)

    def look(self):
        while not self.over.wait(LOOK_SECONDS):
            for stream in list(self.live):
                stream.look()

    def close(self):
        self.pool.shutdown()
        self.over.set()
        self.looker.join()
        self.portraits.close()

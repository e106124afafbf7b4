"""Calls from one Python process of a server to another, over a socket: whoever dies or leaves, the other side knows at once.

Triton's own streams from model to model are not it: they say nothing of a process that died, and Triton 2.51 changes what it keeps of them from
several threads without a lock.
"""

import contextlib
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Generator
from multiprocessing.connection import Client, Connection, Listener

from omokage.errors import Cancelled, OmokageError, ServerFault, ServerUnreachable
from omokage.system import Arrays
from omokage.transport.wire import laid_out

LOOK_SECONDS = 0.05  # between two looks at who is gone
WAITING = 128  # connections that are not taken yet
PEER = struct.Struct("3i")  # process, user, group


def stream(model: str, inputs: Arrays, gone: Callable[[], bool] = lambda: False) -> Generator[Arrays, None, None]:
    """All answers of a model that listens. Who stops reading gives up what is left, and so does who is `gone`. Raises Cancelled,
    ServerUnreachable where the model's process ends, and what it answers with."""
    try:
        with Client(_address(model), "AF_UNIX") as line:
            _check(line)
            line.send(laid_out(inputs))
            over = False
            while not over:
                if gone():
                    raise Cancelled("whoever asked is gone; nothing more is done for it")
                if not line.poll(LOOK_SECONDS):
                    continue
                found, over = line.recv()
                if isinstance(found, OmokageError):
                    raise found
                yield found
    except (OSError, EOFError):
        raise ServerUnreachable(f"the model {model} is being brought back; repeat the request") from None


class Caller:
    """Who asked. Answers go out from the line's own thread: who reads slowly holds up nobody else."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._answers: queue.SimpleQueue[tuple[Arrays | OmokageError, bool]] = queue.SimpleQueue()

    def send(self, answer: Arrays | OmokageError, *, last: bool = False) -> None:
        self._answers.put((answer, last or isinstance(answer, OmokageError)))

    def gone(self) -> bool:
        """A request is all that a caller ever sends, so what comes after it is the end. Not to be asked after the last answer."""
        return self._line.poll()

    def serve(self, take: "Take") -> None:
        """Until the last answer is out."""
        with self._line:
            try:
                _check(self._line)
                take(self._line.recv(), self)
            except Exception as error:
                self.send(error if isinstance(error, OmokageError) else ServerFault(f"the request could not be taken: {type(error).__name__}"))
            over = False
            while not over:
                answer, over = self._answers.get()
                with contextlib.suppress(OSError):  # who is gone is told nothing more, until whoever works for it has noticed
                    self._line.send((answer, over))


Take = Callable[[Arrays, Caller], None]
"""Begins with a request, and answers it later. May raise."""


class Listening:
    """A model that other processes of the server ask, each request in a thread of its own."""

    def __init__(self, model: str, take: Take) -> None:
        self._listener, self._take = Listener(_address(model), "AF_UNIX", WAITING), take
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=Caller(line).serve, args=(self._take,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()


def _address(model: str) -> str:
    """In the kernel alone, so that nothing stays behind; of one server, whose children all its models are."""
    return f"\0omokage-{os.stat('/proc/self/ns/pid').st_ino}-{os.getppid()}-{model}"


def _check(line: Connection) -> None:
    """What comes over the line is unpickled: only of our own user's processes. Raises OSError."""
    with socket.socket(fileno=os.dup(line.fileno())) as one:
        user = PEER.unpack(one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))[1]
    if user != os.getuid():
        raise PermissionError("another user's process")

"""A server with the denoiser alone, and what portraits ask of it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from omokage.denoising import OnStep, Task, asked
from omokage.portrait import Order, paint
from omokage.system import Floats
from omokage.transport.over_grpc import GrpcTransport
from omokage.turn import Turn

from measure.bench.arrivals import Arrival
from measure.in_process import REPOSITORY, InProcess
from server_config.arguments import Ports
from server_config.supervisor import Server

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "img" / "sample.jpg"
WORDS = "a smiling person in warm window light"
PATIENCE = 600.0  # seconds after which an answer is taken as never coming
Ask = Callable[[Arrival], Floats]


def task_of(runtime: InProcess, order: Order) -> Task:
    """What a portrait asks of the denoiser."""
    kept: list[Task] = []

    def keep(task: Task, _: OnStep | None) -> Floats:
        kept.append(task)
        return np.zeros((1, *task.shapes.latent), np.float32)

    paint(runtime.infer, order, denoise=keep)
    return kept[0]


def sample_task(runtime: InProcess | None = None) -> Task:
    """Of the sample person: two branches and a pose."""
    return task_of(runtime or InProcess(), Order(words=WORDS, photo=SAMPLE.read_bytes(), seed=7))


class Asking:
    """A denoiser that is asked; every request is another client's, so that fairness between clients does not put them in a row."""

    def __init__(self, server: Server) -> None:
        self.pid = server.pid
        self._over = GrpcTransport(server.url, PATIENCE)

    def of(self, tasks: Sequence[Task], deadline: float | None = None) -> Ask:
        """Of tasks taken in turns by the arrivals' numbers, with the arrivals' steps."""
        inputs = [asked(task) for task in tasks]

        def ask(arrival: Arrival) -> Floats:
            turn = Turn(deadline=deadline, client=str(arrival.number))
            given = inputs[arrival.number % len(inputs)] | turn.inputs() | {"steps": np.array([[arrival.steps]], np.int64)}
            return np.asarray(list(self._over.stream("denoiser", given))[-1]["latent"], np.float32)

        return ask

    def close(self) -> None:
        self._over.close()


@contextlib.contextmanager
def denoiser(task: Task) -> Iterator[Asking]:
    """A server that serves nothing else, so that what is measured is it alone; asked for a task once."""
    with Server(REPOSITORY, Ports.free(), models=("denoiser",)) as server, contextlib.closing(Asking(server)) as asking:
        asking.of([task])(Arrival(0, 0.0, 2))
        yield asking


def jobs(count: int, steps: int) -> list[Arrival]:
    """Alike, with nothing to wait for."""
    return [Arrival(number, 0.0, steps) for number in range(count)]

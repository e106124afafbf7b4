"""Processes that train one network together, a core each: every one draws rows of its own, and all take the mean of their gradients."""

import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as distributed
from torch import nn

from training.mini.errors import MiniError

MEETING = timedelta(minutes=2)  # until all have started
LONGEST_WAIT = timedelta(minutes=15)  # of one for another: the first also judges and writes
HOST = "127.0.0.1"


class TeamBroke(MiniError):
    """A process of the team ended; its own message says why."""


@dataclass(frozen=True)
class Team:
    """One process's place among `size`; the first, 0, keeps the logs and the checkpoints."""

    rank: int = 0
    size: int = 1

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every parameter the mean of all processes' gradients, handed on in bfloat16. Raises TeamBroke."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients]).bfloat16()
        with _together():
            distributed.all_reduce(flat)
        for gradient, part in zip(gradients, torch.split(flat.float().div_(self.size), [gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def agreed(self, *said: bool) -> tuple[bool, ...]:
        """What the first process says. Raises TeamBroke."""
        if self.size == 1:
            return said
        heard = torch.tensor(said, dtype=torch.uint8)
        with _together():
            distributed.broadcast(heard, 0)
        return tuple(bool(one) for one in heard)


@contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TeamBroke(f"a process that trains with this one has ended ({str(error).splitlines()[0]}); start the stage again, it goes on") from error


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def join(rank: int, size: int, port: int) -> Team:
    """Meet the others, with one thread on a core of its own. Raises TeamBroke where one does not come."""
    torch.set_num_threads(1)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    with _together():
        meeting = distributed.TCPStore(HOST, port, size, is_master=rank == 0, timeout=MEETING)  # type: ignore[attr-defined]
        distributed.init_process_group("gloo", store=meeting, rank=rank, world_size=size, timeout=LONGEST_WAIT)
    return Team(rank, size)


def leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def run(size: int, work: Callable[..., None], *given: Any) -> None:
    """`work(team, *given)` in so many processes, this one the first; the others end with it. Raises what `work` raises here."""
    if size == 1:
        work(Team(), *given)
        return
    port, cores = free_port(), os.sched_getaffinity(0)
    others = [
        multiprocessing.get_context("spawn").Process(target=_other, args=(rank, size, port, work, given), daemon=True) for rank in range(1, size)
    ]
    for one in others:
        one.start()
    try:
        work(join(0, size, port), *given)
    finally:
        leave()
        os.sched_setaffinity(0, cores)
        for one in others:
            one.join(10)
            one.terminate()


def _other(rank: int, size: int, port: int, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    try:
        work(join(rank, size, port), *given)
        leave()
    except MiniError:
        raise SystemExit(1) from None  # the first process says it

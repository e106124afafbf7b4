"""Rendering a whole folder: workers pinned to a core each, watched, resumable after any kill."""

import fcntl
import json
import multiprocessing
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.people import plan as plans
from training.people import shards
from training.people.errors import InvalidRequest, PeopleError
from training.people.plan import Plan

PICTURE_LIMIT_S = 60.0  # a picture takes half a second; one that takes this long hangs
START_LIMIT_S = 180.0  # loading assets and compiling shaders
FREE_DISK_BYTES = 512 * 2**20  # kept free: a shard of 256-pixel pictures is some 20 MB
FAILURES = "failures.jsonl"
TRIES = 2  # of a picture that hangs, before it is left out and recorded
THREAD_VARIABLES = ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class DiskFull(PeopleError):
    """Too little space for another shard; what is there is whole."""


@dataclass
class _Worker:
    """A process and what it is doing."""

    process: BaseProcess
    pipe: Connection  # its own: a queue shared by workers would stay locked when one is killed
    shard: str | None = None
    picture: str | None = None
    since: float = field(default_factory=time.monotonic)
    drawn: int = 0  # pictures of the shard at hand


def render(folder: Path, plan: Plan, *, workers: int = 2, picture_limit_s: float = PICTURE_LIMIT_S, quiet: bool = False) -> int:
    """Draw what is missing of a plan and return how many pictures were left out because they hung.

    Raises InvalidRequest (other options than the folder's, or a folder in use), DiskFull, or what a worker raised.
    """
    cores = sorted(os.sched_getaffinity(0))
    if not 1 <= workers <= len(cores):
        raise InvalidRequest(f"workers is {workers}; this machine has {len(cores)} cores: it must be from 1 to {len(cores)}")
    plans.claim(folder, plan)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRequest(f"{folder} is being rendered by another process; wait for it, or give another --out") from None
        for torn in folder.glob("*.partial"):
            torn.unlink()
        todo = [name for name, _ in plan.shards() if not shards.is_whole(folder / name)]
        seeds = dict(plan.shards())
        done = sum(len(seeds[name]) * plan.frames_per_person for name in seeds if name not in todo)
        bar = tqdm(total=plan.total, initial=done, unit="img", disable=quiet, smoothing=0.05, mininterval=0.5 if sys.stderr.isatty() else 30)
        with bar:
            _Farm(folder, plan, todo, cores[:workers], picture_limit_s, bar).run()
    return len(read_failures(folder))


def read_failures(folder: Path) -> dict[str, int]:
    """Key of each picture that hung -> how often."""
    path = folder / FAILURES
    counts: dict[str, int] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            key = json.loads(line)["key"]
            counts[key] = counts.get(key, 0) + 1
    return {key: count for key, count in counts.items() if count >= TRIES}


class _Farm:
    """The workers and the shards that are left."""

    def __init__(self, folder: Path, plan: Plan, todo: list[str], cores: list[int], limit_s: float, bar: Any) -> None:
        self.folder, self.plan, self.todo, self.limit_s, self.bar = folder, plan, todo[::-1], limit_s, bar
        self.context = multiprocessing.get_context("spawn")
        self.cores = cores
        self.workers: dict[int, _Worker] = {}
        self.disk_full = False

    def run(self) -> None:
        try:
            for core in self.cores[: len(self.todo)]:
                self._start(core)
            while self.workers:
                self._listen()
                self._watch()
        finally:
            for worker in self.workers.values():
                worker.process.kill()
                worker.process.join()
        if self.disk_full:
            free = shutil.disk_usage(self.folder).free // 2**20
            raise DiskFull(
                f"stopped with {len(self.todo)} shards to go: {free} MiB are free, {FREE_DISK_BYTES // 2**20} MiB are kept free; "
                "what is written is whole: make room and give the same command again"
            )

    def _start(self, core: int) -> None:
        pipe, theirs = self.context.Pipe()
        process = self.context.Process(target=_work, args=(core, self.folder, self.plan, theirs), daemon=True)
        process.start()
        theirs.close()
        self.workers[core] = _Worker(process, pipe)

    def _listen(self) -> None:
        cores = {worker.pipe: core for core, worker in self.workers.items()}
        for pipe in wait(list(cores), timeout=0.2):
            assert isinstance(pipe, Connection)
            try:
                what, detail = pipe.recv()
            except EOFError:
                continue  # it ended; _watch sees to it
            self._heard(cores[pipe], what, detail)

    def _last_words(self, core: int) -> None:
        """What a worker said before it ended: its own error says more than its exit code."""
        pipe = self.workers[core].pipe
        try:
            while pipe.poll():
                what, detail = pipe.recv()
                if what != "free":  # there is nothing to give to one that ended
                    self._heard(core, what, detail)
        except EOFError:
            pass

    def _heard(self, core: int, what: str, detail: str) -> None:
        worker = self.workers[core]
        worker.since = time.monotonic()
        if what == "free":
            worker.drawn, worker.picture = 0, None
            self._give(core)
        elif what == "picture":
            worker.picture = detail
        elif what == "drawn":
            worker.drawn += 1
            self.bar.update(1)
        else:
            raise PeopleError(detail)

    def _give(self, core: int) -> None:
        worker = self.workers[core]
        if shutil.disk_usage(self.folder).free < FREE_DISK_BYTES:
            self.disk_full = True
        worker.shard = self.todo.pop() if self.todo and not self.disk_full else None
        worker.pipe.send(worker.shard)
        if worker.shard is None:
            self.workers.pop(core).process.join()

    def _watch(self) -> None:
        """End a worker whose picture hangs; its shard, and that of one that crashed, goes back to be done again."""
        for core, worker in list(self.workers.items()):
            limit = self.limit_s if worker.picture else START_LIMIT_S
            hangs = time.monotonic() - worker.since > limit
            if not hangs and worker.process.is_alive():
                continue
            self._last_words(core)
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
            if worker.picture is None or (not hangs and (worker.process.exitcode or 0) >= 0):
                how = "hung" if hangs else f"ended with code {worker.process.exitcode}"
                at = f"while it drew {worker.picture}" if worker.picture else "before it drew"
                raise PeopleError(f"a worker {how} {at}; its own words are above: please report them")
            with (self.folder / FAILURES).open("a") as stream:
                why = "time limit" if hangs else f"signal {-(worker.process.exitcode or 0)}"
                stream.write(json.dumps({"key": worker.picture, "why": why}) + "\n")
            if worker.shard is not None:
                (self.folder / f"{worker.shard}.partial").unlink(missing_ok=True)
                self.todo.append(worker.shard)
                self.bar.update(-worker.drawn)
            del self.workers[core]
            self._start(core)


def _work(core: int, folder: Path, plan: Plan, pipe: Connection) -> None:
    """A worker: one core, one thread of each library, one shard after another until it is given None."""
    os.sched_setaffinity(0, {core})
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"
    import cv2

    from training.people.drawing import Artist

    cv2.setNumThreads(1)
    try:
        artist = Artist(plan)
        pipe.send(("free", ""))
        while (name := pipe.recv()) is not None:
            left_out, frames = read_failures(folder), plan.frames(dict(plan.shards())[name])
            with shards.Writer(folder / name) as writer:
                for key, group, frame in frames:
                    pipe.send(("picture", key))
                    if key not in left_out:
                        writer.add(*artist.sample(key, group, frame))
                    pipe.send(("drawn", key))
            pipe.send(("free", ""))
    except (PeopleError, OSError) as error:
        pipe.send(("error", str(error)))

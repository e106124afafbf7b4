"""The loop: one UNet call a step for all pictures that are under way, whatever their system, step, sampler or guidance. Needs no Triton."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from jobs import Job
from line import Line
from omokage.errors import Busy, Cancelled, InvalidRequest, OmokageError, ServerFault, TooLate
from omokage.system import Arrays, Floats
from pace import Limits, Load, Pace, seconds_until_done
from slots import Sides, Slots

Network = Callable[[Arrays], Arrays]
"""Inputs [B, ...] by name -> outputs [B, ...] by name; a row's outputs depend on that row alone, to the bit."""
CARE = 1.05  # times the expected time, for somebody who comes: at the edge, half of the work would be for those who are given up at last
HASTE = 0.8  # of the measured time: nobody is given up for a few slow steps
LATE = "ask for fewer steps, or give it more time"


class Meters(Protocol):
    """What is counted."""

    def stepped(self, rows: int, posed: int, seconds: float) -> None: ...

    def joined(self, waited: float) -> None: ...

    def refused(self, reason: str) -> None: ...

    def cancelled(self) -> None: ...

    def missed(self) -> None: ...

    def busy(self, rows: int, waiting: int) -> None: ...


class Denoiser:
    """`unet` takes sample, timestep, the arrays of `sides` and what `controlnet` gives; `controlnet` takes sample, timestep and the arrays of
    `posed_sides`. All calls of the networks are made by whoever calls `step`; `submit` and `cancel` may be called by others.

    `where`: numpy; or CuPy, and what stays over the steps lies on the GPU: all that is given but sample and timestep, and what `controlnet` gives.
    """

    def __init__(
        self,
        unet: Network,
        controlnet: Network,
        *,
        latent: Sides,
        sides: Mapping[str, Sides],
        posed_sides: Mapping[str, Sides],
        meters: Meters,
        limits: Limits | None = None,
        where: Any = np,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits, self.pace = limits or Limits(), Pace()
        self._unet, self._controlnet, self._meters, self._clock = unet, controlnet, meters, clock
        rows = self.limits.rows
        self._slots, self._posed = Slots(sides, rows, where), Slots(posed_sides, rows, where)
        self._sample, self._timestep = np.zeros((rows, *latent), np.float32), np.zeros(rows, np.int64)
        self._residuals: list[str] = []  # what the ControlNet gives, by name; kept in the UNet's slots, zeros for rows without a pose
        self._running: list[Job] = []
        self._line = Line()
        self._named: dict[str, Job] = {}
        self._changed = threading.Condition()

    def warm_up(self, rows: tuple[int, ...] = (1, 2)) -> None:
        """Run both networks: shows what the ControlNet gives, and how long steps take."""
        given = self._controlnet(self._at(1) | self._posed.front(1))
        if not self._residuals:
            self._slots.more({name: value.shape[1:] for name, value in given.items()})
            self._residuals = list(given)
        self._unet(self._given(1))  # the first time is slower than any other
        for count in rows:
            for posed in (0, count):
                began = self._clock()
                if posed:
                    self._controlnet(self._at(count) | self._posed.front(count))
                self._unet(self._given(count))
                self.pace.measured(count, posed, self._clock() - began)

    def submit(self, job: Job) -> None:
        """Into the line, or in at the next step. Raises Busy where the line is full, TooLate where the deadline cannot be met, InvalidRequest."""
        if job.width > self.limits.rows:
            raise InvalidRequest(f"{job.width} branches came; a batch has {self.limits.rows} rows, so send at most as many")
        with self._changed:
            if job.name in self._named:
                raise InvalidRequest("there is a job of that name already; choose another name for each")
            if len(self._line) >= self.limits.waiting:
                self._meters.refused("full")
                raise Busy(f"{len(self._line)} requests are waiting already; try again in about {max(self._until_one_is_done(), 0.1):.1f} s")
            job.came = self._clock()
            self._line.join(job)
            if job.deadline is not None and (needed := CARE * self._needed(job)) > job.deadline - job.came:
                self._line.leave(job)
                self._meters.refused("late")
                raise TooLate(f"the deadline is {job.deadline - job.came:.2f} s away and about {needed:.2f} s are needed; {LATE}")
            if job.name:
                self._named[job.name] = job
            self._changed.notify()

    def cancel(self, name: str) -> None:
        """Before the next step it is gone; a name that nobody has is no error, since it may have ended meanwhile."""
        with self._changed:
            if name in self._named:
                self._named[name].given_up = True

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Step after step; asleep while there is nothing to do."""
        while not until():
            if not self.step():
                with self._changed:
                    self._changed.wait_for(lambda: len(self._line) > 0, timeout=1.0)

    def step(self) -> bool:
        """Let go of what is over, let in what fits, and take everybody one step further. False where there is nobody."""
        self._let_go()
        self._let_in()
        self._meters.busy(sum(job.width for job in self._running), len(self._line))
        if not self._running:
            return False
        began, rows, looking = self._clock(), len(self._slots), sum(job.width for job in self._running if job.looking)
        try:
            if not self._residuals:
                self.warm_up()
            predictions = self._predicted()
            seen = [(job, job.advance(predictions[self._slots.places(job)])) for job in self._running]
            for job in self._running:  # after the guided steps there are fewer rows, and they may have others' keys and values
                self._slots.free(job, keep=job.width)
                self._posed.free(job, keep=job.width)
                if job.later and job.number == job.guided_steps:
                    for name, value in job.later.items():
                        self._slots.put(name, self._slots.places(job), value)
                    job.later = {}
        except Exception as error:  # all that were in the batch fail; those that come after are served
            for job in list(self._running):
                self._end(job, ServerFault(f"the networks failed: {type(error).__name__}"))
            return True
        seconds = self._clock() - began
        self.pace.measured(rows, looking, seconds)
        self._meters.stepped(rows, looking, seconds)
        for job, clean in seen:
            job.told.stepped(job.number, len(job.table.steps), clean)
            if not job.left:
                self._end(job, None)
        return True

    def _predicted(self) -> Floats:
        """[rows, C, h, w] of all rows in use."""
        for job in self._running:
            places = self._slots.places(job)
            self._sample[places], self._timestep[places] = job.state[0], job.timestep
        self._look()
        return np.asarray(self._unet(self._given(len(self._slots)))["prediction"], np.float32)

    def _look(self) -> None:
        """Let the ControlNet see the poses of those whose step wants it; to the others' rows it adds what it added last, or nothing."""
        looking = [job for job in self._running if job.looking]
        mine = [place for job in looking for place in self._posed.places(job)]
        places = [place for job in looking for place in self._slots.places(job)]
        if not places:
            return
        shown: Arrays = {"sample": self._sample[places], "timestep": self._timestep[places]}
        # those of a single picture lie one behind the other, so mostly nothing is copied
        front = self._posed.front()
        run = slice(mine[0], mine[-1] + 1) if mine == list(range(mine[0], mine[-1] + 1)) else mine
        for name, value in self._controlnet(shown | {name: array[run] for name, array in front.items()}).items():
            self._slots.put(name, places, value)

    def _at(self, count: int) -> Arrays:
        return {"sample": self._sample[:count], "timestep": self._timestep[:count]}

    def _given(self, count: int) -> Arrays:
        """All that the UNet takes, of the first rows."""
        return self._at(count) | self._slots.front(count)

    def _let_go(self) -> None:
        with self._changed:
            waiting = self._line.jobs()
        for job in (*self._running, *waiting):
            if job.given_up or job.told.cancelled():
                self._meters.cancelled()
                self._end(job, Cancelled("whoever asked is gone; nothing more is done for it"))
            elif job.deadline is not None and self._clock() + self._still_needed(job) > job.deadline:
                self._meters.missed()
                self._end(job, TooLate(f"the deadline cannot be met any more, after {job.number} of {len(job.table.steps)} steps; {LATE}"))

    def _let_in(self) -> None:
        while True:
            with self._changed:
                waiting = self._line.jobs()
                if not waiting or not self.limits.fits(self.pace, self._loads(), load(waiting[0])):
                    return
                job = waiting[0]
                self._line.take(job)
            self._slots.write(job, job.rows)
            if job.posed is not None:
                self._posed.write(job, job.posed)
            job.rows, job.posed = {}, None if job.posed is None else {}  # they are in the slots now
            self._running.append(job)
            self._meters.joined(self._clock() - job.came)

    def _end(self, job: Job, error: OmokageError | None) -> None:
        """Give its place back, then tell."""
        if job in self._running:
            self._running.remove(job)
            self._slots.free(job)
            self._posed.free(job)
        with self._changed:
            self._line.leave(job)
            self._named.pop(job.name, None)
        if error is None:
            job.told.done(job.latent)
        else:
            job.told.failed(error)

    def _loads(self) -> list[Load]:
        return [load(job) for job in self._running]

    def _needed(self, job: Job) -> float:
        """Seconds until it would be done."""
        ahead = self._line.jobs()
        return seconds_until_done(self.pace, self.limits, self._loads(), [load(one) for one in ahead[: ahead.index(job) + 1]])

    def _still_needed(self, job: Job) -> float:
        """Seconds that its steps take at least: the next one, which nothing interrupts, as it will be, and what is left beside it as if it were
        alone. Who is told before the deadline can still do something else, and rows are not taken from those who have a chance."""
        loads = self._loads() if job in self._running else [load(job)]
        following = self.pace.seconds(sum(one.rows for one in loads), sum(one.posed for one in loads))
        return following + HASTE * (job.left - 1) * self.pace.seconds(job.width, job.posed_width)

    def _until_one_is_done(self) -> float:
        """Seconds until there is a place in the line again."""
        running = self._loads()
        rows, posed = sum(one.rows for one in running), sum(one.posed for one in running)
        return min((one.steps for one in running), default=1) * self.pace.seconds(rows, posed)


def load(job: Job) -> Load:
    return Load(job.width, job.posed_width, job.left)

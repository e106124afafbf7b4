"""Who is next: fair between clients, with a head start for what is urgent. Needs no Triton."""

from typing import Any

from jobs import Job

HEAD_START = 100.0  # rows of steps that a level of priority is worth: a picture of 50 steps with 2 branches


class Line:
    """Fair queueing (Demers, Keshav and Shenker 1989): every client's jobs stand one behind the other on a clock of work, which goes on by what is
    taken, shared among the clients that wait; the job that begins first is next. A level of priority puts a job earlier by a fixed amount of
    work, so that whoever waits is passed by a bounded number only: that is how the others age."""

    def __init__(self) -> None:
        self._clock = 0.0
        self._ends: dict[str, float] = {}  # of each client's last job on the clock
        self._turns: list[tuple[float, int, Job]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._turns)

    def jobs(self) -> list[Job]:
        """In the order in which they go."""
        return [job for _, _, job in sorted(self._turns, key=_turn)]

    def join(self, job: Job) -> None:
        """Its place is decided now and does not change."""
        if not self._turns:
            self._clock, self._ends = 0.0, {}
        begins = max(self._clock, self._ends.get(job.client, 0.0))
        self._ends[job.client] = begins + _work(job)
        self._count += 1
        self._turns.append((begins - HEAD_START * job.priority, self._count, job))

    def take(self, job: Job) -> None:
        """It goes in: the clock goes on."""
        clients = len({other.client for _, _, other in self._turns})
        self._clock += _work(job) / clients
        self.leave(job)

    def leave(self, job: Job) -> None:
        """It gives up its place."""
        self._turns = [turn for turn in self._turns if turn[2] is not job]


def _turn(turn: tuple[float, int, Any]) -> tuple[float, int]:
    return turn[:2]


def _work(job: Job) -> float:
    """Rows of steps."""
    return float(job.width * job.left)

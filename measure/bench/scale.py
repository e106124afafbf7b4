"""How much is measured: all of it in less than half an hour on two idle cores, or so little that it only shows whether everything works."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    calls: int = 15  # of the UNet, each way and batch
    portraits: int = 6  # each way
    rounds: int = 20  # of the server against one process
    deaths: bool = True  # whether processes are killed, to see how soon they are back
    likeness_people: int = 20
    capacity_jobs: int = 20
    mixed_seconds: float = 110.0  # over which jobs come, each way
    people_turns: int = 3
    people_steps: int = 4
    overload_seconds: float = 120.0
    overload_steps: int = 20
    step_requests: int = 10_000
    growth: tuple[int, ...] = (5, 10, 20, 50)  # steps of a portrait
    compiled: bool = True  # whether torch.compile is among the ways: it takes minutes


FULL = Scale()
QUICK = Scale(3, 2, 2, False, 4, 4, 12.0, 1, 2, 10.0, 4, 200, (2, 4), False)

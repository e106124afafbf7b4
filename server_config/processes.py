"""The server's own children: one stub process per instance of a Python model, told by their command lines."""

import contextlib
from pathlib import Path

STUB = "triton_python_backend_stub"


def children(pid: int) -> list[int]:
    """Direct children of a process; none where it has ended."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile has none
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def alive(process: int, parent: int) -> bool:
    """Whether a child has neither ended nor become another's number."""
    try:
        state, its_parent = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and int(its_parent) == parent


def stubs(server: int) -> dict[int, str]:
    """Pid of each living stub -> its model; the second word of its command line ends in MODEL/VERSION/model.py."""
    found = {}
    for child in children(server):
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].decode().endswith(STUB) and alive(child, server):
            found[child] = Path(words[1].decode()).parents[1].name
    return found


def started_from(folder: Path) -> list[int]:
    """All processes whose program lies in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program = (process / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if program.startswith(f"{folder}/"):
            found.append(int(process.name))
    return found


def memory(server: int) -> tuple[float, float]:
    """GiB of the server and its stubs: resident, pages that several hold counted in each; and proportional, each page counted once."""
    resident = proportional = 0
    for pid in (server, *children(server)):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            resident += int(rest.split()[0]) if name == "Rss" else 0
            proportional += int(rest.split()[0]) if name == "Pss" else 0
    return resident / 2**20, proportional / 2**20

"""The GPU of this machine, as its driver tells."""

import subprocess
from dataclasses import dataclass

from engines.errors import MissingPiece

ASK = ("nvidia-smi", "--query-gpu=name,compute_cap,driver_version,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Device:
    """`capability`: as builders name the generation, like SM89; `memory`: MiB."""

    name: str
    capability: str
    driver: str
    memory: int


def device() -> Device:
    """The first GPU. Raises MissingPiece where there is none, or none that answers."""
    try:
        done = subprocess.run(ASK, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPiece(
            f"no GPU here: {ASK[0]} cannot be asked ({type(error).__name__}); run this where an NVIDIA GPU and its driver are"
        ) from None
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise MissingPiece(f"no GPU here: {ASK[0]} says {(done.stdout + done.stderr).strip()[:200] or 'nothing'}; mend the driver")
    try:
        name, capability, driver, memory = (part.strip() for part in lines[0].split(","))
        return Device(name, "SM" + capability.replace(".", ""), driver, int(memory))
    except ValueError:
        raise MissingPiece(f"{ASK[0]} says {lines[0]!r}, which is no name, capability, driver and memory; mend the driver") from None

"""A server's metrics, the denoiser's own above all."""

import urllib.request

from server_config.supervisor import Server

PREFIX = "omokage_denoiser_"


def page(server: Server) -> str:
    """All metrics, as Prometheus reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.ports.metrics}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def metrics(server: Server) -> dict[str, float]:
    """By what comes after the prefix."""
    lines = [line.rsplit(" ", 1) for line in page(server).splitlines() if line.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): float(value) for name, value in lines}


def rows(before: dict[str, float], after: dict[str, float]) -> float:
    """Of a batch, on average."""
    return (after["rows_sum"] - before["rows_sum"]) / (after["steps"] - before["steps"])

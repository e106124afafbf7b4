"""A picture of a run's losses."""

import json
from pathlib import Path

import numpy as np

POINTS = 400


def write_plot(log: Path, path: Path) -> None:
    """All parts of the loss over the steps, each smoothed into at most 400 points, on a logarithmic axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    if not rows:
        return
    figure = Figure(figsize=(9, 5))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name in (name for name in rows[-1] if name != "step"):
        found = [(row["step"], row[name]) for row in rows if row.get(name, 0) > 0]
        if found:
            pieces = np.array_split(np.array(found), min(POINTS, len(found)))
            means = np.array([piece.mean(0) for piece in pieces])
            axes.plot(means[:, 0], means[:, 1], label=name, linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.legend()
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=100)

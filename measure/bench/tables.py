"""The tables of a bench's page, one function a row of the bench: what is raw of it -> paragraphs of Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Raw = Mapping[str, Any]
MOST_KINDS = 12  # of operators; the rest is one line


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def said(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def spread(value: Raw, scale: float = 1.0, digits: int = 2) -> str:
    low, high = value["quartiles"]
    return f"{scale * value['median']:.{digits}f} ({scale * low:.{digits}f} to {scale * high:.{digits}f})"


def unet(raw: Raw) -> list[str]:
    batches: Raw = raw["batches"]
    names = list(next(iter(batches.values()))["seconds"])
    lines = [[name if _counts(batches, name) else f"{name}, does not count", *_of_batches(batches, name)] for name in names]
    last = ["served: times as fast as the fastest other", *(f"{row['vs_fastest']:.3f} ({row['fastest']})" for row in batches.values())]
    return [table(["", *(f"batch {batch}" for batch in batches), "off by, at most"], [*lines, [*last, ""]])]


def _counts(batches: Raw, name: str) -> bool:
    return all(name in row["counted"] for row in batches.values())


def _of_batches(batches: Raw, name: str) -> list[str]:
    return [*(spread(row["seconds"][name], 1e3, 1) for row in batches.values()), f"{max(row['apart'][name] for row in batches.values()):.0e}"]


def portrait(raw: Raw) -> list[str]:
    settings = raw["settings"]
    says = f"Balanced: {settings['steps']} steps of {settings['sampler']}, guidance {settings['guidance']:g}; usual: {raw['usual_steps']} steps. "
    return [table(["", "seconds"], ([name, spread(one)] for name, one in raw["seconds"].items())), f"{says}The two pictures: {raw['psnr']} dB."]


def likeness(raw: Raw) -> list[str]:
    return [table([f"{raw['people']} people", "likeness"], ([name, f"{value:.4f}"] for name, value in raw["normalised"].items()))]


def server(raw: Raw) -> list[str]:
    found = [table([f"{raw['steps']} steps", "seconds"], ([name, spread(one, digits=3)] for name, one in raw["seconds"].items()))]
    if deaths := raw["after_deaths_seconds"]:
        found.append("Seconds of a portrait of 2 steps asked for right after a process of a model was killed:")
        found.append(table(["killed", "seconds"], ([f"`{model}`", f"{seconds:.2f}"] for model, seconds in deaths.items())))
    return found


def mixed(raw: Raw) -> list[str]:
    kinds = [name for name in raw["by step"] if name.endswith(" steps")]
    heads = ["", *(f"{kind}: mean, 95 %" for kind in kinds), "jobs a second"]
    lines = []
    for way in ("by step", "by request"):
        times = [f"{one['mean']:.2f}, {one['p95']:.2f}" if (one := raw[way][kind])["jobs"] else "none came" for kind in kinds]
        lines.append([way, *times, f"{raw[way]['throughput']:.3f}"])
    counts = ", ".join(f"{raw['by step'][kind]['jobs']} of {kind}" for kind in kinds)
    return [table(heads, lines), f"{counts} came in {raw['seconds']:g} s; capacity {raw['capacity']:.3f} jobs a second, of it {raw['load']:g}."]


def people(raw: Raw) -> list[str]:
    names = {"mixed": f"{raw['people']} people, all systems", "alone": "one person, one system"}
    crowds = raw["seconds_by_people"]
    return [
        table([f"jobs of {raw['steps']} steps", "a second"], ([names[name], spread(one)] for name, one in raw["jobs_per_second"].items())),
        table(["people at once", *crowds], [["seconds until all are done", *(spread(one) for one in crowds.values())]]),
    ]


def overload(raw: Raw) -> list[str]:
    ends, results = raw["ends"], raw["results"]
    says = f"{raw['requests']} requests of {raw['steps']} steps in {raw['seconds']:g} s, each with a deadline of {raw['deadline']:g} s; "
    says += f"capacity {raw['capacity']:.3f} a second, goodput {raw['goodput']:.3f}; the last answer came {raw['longest']:.2f} s after its request."
    took = f", {results['mean']:.2f} s on average, 95 % within {results['p95']:.2f} s" if results["jobs"] else ""
    names = {"result": f"results{took}", "full": "refused: the line was full", "refused": "refused: the deadline could not be met"}
    names |= {"late": "given up when it could not be met any more", "failed": "anything else"}
    return [says, table(["", "requests"], ([says, str(ends.get(end, 0))] for end, says in names.items()))]


def growth(raw: Raw) -> list[str]:
    gib = raw["resident_gib"]
    parts = {"first": gib[0], "a quarter": gib[len(gib) // 4], "half": gib[len(gib) // 2], "three quarters": gib[3 * len(gib) // 4], "last": gib[-1]}
    return [table([f"{raw['requests']} requests", *parts], [["resident, GiB", *(f"{one:.4f}" for one in parts.values())]])]


def profile(raw: Raw) -> list[str]:
    networks = list(raw["kinds_ms"])
    kinds = sorted({kind for one in raw["kinds_ms"].values() for kind in one}, key=lambda kind: -_all(raw, kind))
    shown, rest = kinds[:MOST_KINDS], kinds[MOST_KINDS:]
    lines = [[f"`{kind}`", *(_ms(raw, network, [kind]) for network in networks)] for kind in shown]
    lines.append([f"{len(rest)} others", *(_ms(raw, network, rest) for network in networks)])
    bounds = [[network, *(_bound(raw, network))] for network in networks]
    rows = [name.removeprefix("unet ") for name in raw["seconds_by_rows"] if name.startswith("unet ")]
    seconds = raw["seconds_by_rows"]
    by_rows = [[network, *(spread(seconds[f"{network} {row}"], 1e3, 1) for row in rows)] for network in networks]
    by_rows += [[f"{network}, opened for so many alone", *(_if_there(seconds, f"fixed {network} {row}") for row in rows)] for network in networks]
    by_steps = raw["seconds_by_steps"]
    return [
        table(["", *networks], lines),
        table(["", "multiply-adds, G", "floor, ms", "takes, ms", "times the floor"], bounds),
        f"One large product of matrices: {raw['multiply_adds_per_second'] / 1e9:.0f} G multiply-adds a second.",
        "How a step grows with its rows (a portrait with guidance has two), milliseconds:",
        table(["rows", *rows], by_rows),
        "And a portrait in one process with its steps, seconds:",
        table(["steps", *by_steps], [["", *(spread(one) for one in by_steps.values())]]),
    ]


def _if_there(seconds: Raw, name: str) -> str:
    return spread(seconds[name], 1e3, 1) if name in seconds else ""


def _all(raw: Raw, kind: str) -> float:
    return float(sum(one.get(kind, 0.0) for one in raw["kinds_ms"].values()))


def _ms(raw: Raw, network: str, kinds: Sequence[str]) -> str:
    return f"{sum(raw['kinds_ms'][network].get(kind, 0.0) for kind in kinds):.2f}"


def _bound(raw: Raw, network: str) -> list[str]:
    floor, took = raw["floor_ms"][network], raw["took_ms"][network]
    return [f"{raw['multiply_adds'][network] / 1e9:.2f}", f"{floor:.1f}", f"{took:.1f}", f"{took / floor:.2f}"]

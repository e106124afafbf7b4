"""Steps taken one after another, whatever becomes of the others, and what they found as one report."""

import json
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from gpu_check.steps import Facts, Failed, Setting, Step

State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Result:
    """`text`: why a step failed or was skipped."""

    name: str
    shows: str
    state: State
    seconds: float
    text: str = ""
    facts: Facts = field(default_factory=dict)


def take(steps: Sequence[Step], setting: Setting, tell: Callable[[str], None] = lambda _: None) -> Iterator[Result]:
    """All steps in their order, each result as it comes; one that fails does not stop the next."""
    for step in steps:
        tell(f"{step.name} …")
        found = _one(step, setting)
        tell(f"{step.name}: {found.state}, {found.seconds:.0f} s {found.text}")
        yield found


def _one(step: Step, setting: Setting) -> Result:
    if why := step.why_not(setting):
        return Result(step.name, step.shows, "skipped", 0.0, why)
    began = time.monotonic()
    state: State = "failed"
    facts: Facts = {}
    text = ""
    try:
        facts, state = step.find(setting), "passed"
    except Failed as error:
        facts, text = error.facts, str(error)
    except Exception as error:  # a step may fail in any way, on a machine that nobody here has seen
        text, facts = f"{type(error).__name__}: {error}", {"traceback": traceback.format_exc(limit=-5)}
    return Result(step.name, step.shows, state, round(time.monotonic() - began, 1), text, facts)


def write(results: Sequence[Result], setting: Setting, out: Path) -> tuple[Path, Path]:
    """`out`/report.md and report.json, to be sent back."""
    out.mkdir(parents=True, exist_ok=True)
    told = {"target": setting.target, "family": setting.family.name, "steps": setting.steps, "results": [asdict(result) for result in results]}
    pages = out / "report.md", out / "report.json"
    pages[0].write_text(markdown(results, setting))
    pages[1].write_text(json.dumps(told, indent=2, default=str) + "\n")
    return pages


def markdown(results: Sequence[Result], setting: Setting) -> str:
    dry = " Dry run: the same steps on the CPU; nothing here was run on a GPU." if setting.target == "cpu" else ""
    lines = [f"# GPU check: {setting.family.name}, {setting.target}", "", f"Portraits of {setting.steps} steps.{dry}", ""]
    lines += ["| step | what it shows | state | seconds |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {one.shows} | {one.state} | {one.seconds:.1f} |" for one in results]
    for one in results:
        lines += ["", f"## {one.name}: {one.state}", ""]
        lines += [one.text, ""] if one.text else []
        for name, value in one.facts.items():
            lines += _fact(name, value)
    return "\n".join(lines) + "\n"


def _fact(name: str, value: Any) -> list[str]:
    if isinstance(value, list):
        if not value:
            return [f"{name}: none", ""]
        heads = list(value[0])
        rows = [f"| {' | '.join(_cell(row[head]) for head in heads)} |" for row in value]
        return ["", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *rows, ""]
    if isinstance(value, str) and "\n" in value:
        return [f"{name}:", "", *("    " + line for line in value.splitlines()), ""]
    return [f"- {name}: {_cell(value)}"]


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""The steps of the check, as data: what each shows, for which targets, and the function that finds it out."""

import contextlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime

from engines import tensorrt
from engines.build import build, engine_path
from engines.device import device
from engines.install import install, install_tokenizer
from engines.sidecar import Recipe, read
from engines.sources import graph_of
from engines.targets import target_named
from export import specs
from export.families import Family
from gpu_check import networks, on_gpu, serving
from measure.bench import results
from measure.bench.aims import AIMS
from measure.in_process import REPOSITORY, Open, session
from server_config.runtime import ELSEWHERE, find_triton

ROOT = Path(__file__).resolve().parents[1]
CPU = "cpu"
EVERYWHERE = (CPU, tensorrt.RTX, tensorrt.DATA_CENTER)
SERVED = (CPU, tensorrt.DATA_CENTER)
DENOISER, PLANS = "OMOKAGE_DENOISER", "plans"
"""The variable by which the denoiser (model_repository/denoiser/1/runners.py) is told how to run its networks, and the word for plans of its own."""
MOST = {CPU: 1e-4, tensorrt.RTX: 2e-2, tensorrt.DATA_CENTER: 2e-2}
"""Parity: largest difference over the largest number of an output. Plans compute in half precision."""
SERVER_TESTS = ("test_portraits.py", "test_prompts_and_pictures.py", "test_bad_requests.py", "test_bad_photos.py", "test_command_line.py")
"""Those that ask one server with all models; the others start servers of their own, with models of the CPU."""
BENCH = ("mixed", "people", "overload", "growth")
"""Rows of `make bench` that ask a server alone; the others compare with what runs on processors."""
LAST_LINES = 40

Facts = dict[str, Any]
"""What a step found: numbers and words by name; a list of rows, each a dict with the same names, becomes a table."""


class Failed(Exception):
    """A step did not show what it was to show; `facts` is what it found all the same."""

    def __init__(self, text: str, facts: Facts) -> None:
        super().__init__(text)
        self.facts = facts


@dataclass(frozen=True)
class Setting:
    """`engines`: folder of what is built; `steps` and `portraits`: of every measurement; `tests`: of the server, files of tests/server;
    `bench`: where the rows of the bench go."""

    target: str
    family: Family
    engines: Path
    steps: int = 20
    portraits: int = 10
    times: int = networks.TIMES
    clients: tuple[int, ...] = serving.CLIENTS
    tests: tuple[str, ...] = SERVER_TESTS
    bench: Path = Path("out/gpu-check/bench.json")


@dataclass(frozen=True)
class Step:
    """`find` raises whatever went wrong. `asks_server`: whether it is about portraits, which the server makes of the mini family alone."""

    name: str
    shows: str
    find: Callable[[Setting], Facts]
    targets: tuple[str, ...] = field(default=EVERYWHERE)
    asks_server: bool = False

    def why_not(self, setting: Setting) -> str | None:
        """Why it is left out, None where it is not."""
        if setting.target not in self.targets:
            return f"not for {setting.target}; it is for {', '.join(self.targets)}"
        if self.asks_server and setting.family.published:
            return f"the server's models are those of the mini family; {setting.family.name} has engines only"
        return None


def engines_of(setting: Setting) -> Open:
    """Engines of the target, opened as their runtime opens them."""

    def opened(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        path = engine_path(setting.engines, setting.family.name, setting.target, name)
        return session(path) if setting.target == CPU else on_gpu.plan(path, _now(setting, path))

    return opened


def _now(setting: Setting, engine: Path) -> Recipe:
    """What the engine would be built from with the runtime that is here; its graph is taken to be the one that the step `engines` found."""
    told, target = read(engine).recipe, target_named(setting.target)
    return Recipe(told.family, told.network, target.name, target.runtime(), target.options, told.graph_sha256, told.weights_sha256)


def graphs(setting: Setting) -> dict[str, Path]:
    return {name: graph_of(setting.family.name, name)[0] for name in specs.networks(setting.family)}


def machine(setting: Setting) -> Facts:
    found: Facts = {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    found |= {"onnxruntime": onnxruntime.__version__, "providers": ", ".join(onnxruntime.get_available_providers())}
    found |= {"builder": target_named(setting.target).runtime()}
    return found if setting.target == CPU else found | {f"gpu_{name}": value for name, value in asdict(device()).items()}


def engines(setting: Setting) -> Facts:
    rows, served = [], target_named(setting.target).served and not setting.family.published
    for name, told, now in build(setting.engines, setting.family, setting.target):
        if served:
            install(setting.engines, setting.family.name, setting.target, REPOSITORY, [name])
        rows.append({"network": name, "seconds": told.seconds, "built": "now" if now else "before", "sha256": told.sha256[:12]})
    if served:
        install_tokenizer(setting.family.name, REPOSITORY)
    return {"engines": rows}


def parity(setting: Setting) -> Facts:
    most = MOST[setting.target]
    rows = list(networks.parity(setting.family, engines_of(setting), graphs(setting), most))
    facts: Facts = {"at_most": most, "networks": rows}
    wrong = [f"{row['network']} at batch {row['batch']}: {row['error']:.1e}" for row in rows if not row["alike"]]
    if wrong:
        raise Failed(f"not alike within {most:.0e}: {'; '.join(wrong)}", facts)
    return facts


def speed(setting: Setting) -> Facts:
    return {"calls": list(networks.speed(setting.family, engines_of(setting), setting.times))}


def _served_by(setting: Setting) -> None:
    """Raises Failed where the Triton that would be started serves engines of another target: numbers of the CPU are not taken for a GPU's."""
    found = find_triton().target
    if found != setting.target:
        raise Failed(f"the Triton here serves engines of {found}, wanted {setting.target}; {ELSEWHERE} names one with a TensorRT backend", {})


def server_tests(setting: Setting) -> Facts:
    _served_by(setting)
    files = [str(ROOT / "tests" / "server" / name) for name in setting.tests]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    facts: Facts = {"pytest": lines[-1] if lines else "", "passed": sum(map(int, re.findall(r"(\d+) passed", lines[-1] if lines else "")))}
    if done.returncode:
        raise Failed(f"pytest ended with code {done.returncode}", facts | {"last_lines": "\n".join((lines + done.stderr.splitlines())[-LAST_LINES:])})
    return facts


def served(setting: Setting) -> Facts:
    """By Triton's engines; and on a GPU by plans in the denoiser's own process, which for RTX stand beside engines of the CPU."""
    rows: list[dict[str, Any]] = []
    if setting.target != tensorrt.RTX:
        _served_by(setting)
        rows += serving.served(setting.steps, setting.portraits, setting.clients)
    if setting.target != CPU:
        if setting.target == tensorrt.RTX:
            install(setting.engines, setting.family.name, setting.target, REPOSITORY, ["unet", "controlnet_pose"])
        with _denoising_by(PLANS):
            rows += serving.served(setting.steps, setting.portraits, setting.clients, "the server, plans in the denoiser")
    return {"portraits": rows}


def bench(setting: Setting) -> Facts:
    """The rows of the bench's table that are about the server, against their aims; in a dry run so little that it only shows whether all works."""
    _served_by(setting)
    rows = [*BENCH, "--out", str(setting.bench.resolve()), *(["--quick"] if setting.target == CPU else [])]
    setting.bench.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "measure.bench", *rows], cwd=ROOT, capture_output=True, text=True, check=False)
    found = results.read(setting.bench)
    table = [
        {"number": aim.says, "found": found[aim.name], "aim": aim.wanted, "met": "yes" if aim.met(found[aim.name]) else "no"}
        for aim in AIMS
        if found.get(aim.name) is not None
    ]
    if done.returncode:
        raise Failed(f"the bench ended with code {done.returncode}", {"rows": table, "last_lines": "\n".join(done.stderr.splitlines()[-LAST_LINES:])})
    return {"rows": table}


@contextlib.contextmanager
def _denoising_by(networks: str) -> Iterator[None]:
    """For servers that are started meanwhile."""
    before = os.environ.get(DENOISER)
    os.environ[DENOISER] = networks
    try:
        yield
    finally:
        os.environ.pop(DENOISER)
        os.environ |= {} if before is None else {DENOISER: before}


def baselines(setting: Setting) -> Facts:
    """The same engines without the server; and the exported graphs by ONNX Runtime as it comes, or by its providers for GPUs."""
    files = graphs(setting)
    ways: dict[str, Open] = {f"engines of {setting.target}, step by step in one process": engines_of(setting)}
    if setting.target == CPU:
        ways["graphs by ONNX Runtime's defaults, step by step"] = lambda name: session(files[name])
    for provider in on_gpu.PROVIDERS if setting.target == tensorrt.DATA_CENTER else ():
        ways[f"graphs by ONNX Runtime's {on_gpu.PROVIDERS[provider]}, step by step"] = partial(_by_provider, files, provider)
    rows, wrong = [], []
    for name, opening in ways.items():
        try:
            rows.append(serving.alone(name, opening, setting.steps, setting.portraits))
        except Exception as error:  # one way that cannot be had does not take the others
            wrong.append(f"{name}: {error}")
    if wrong:
        raise Failed("; ".join(wrong), {"portraits": rows})
    return {"portraits": rows}


def _by_provider(files: dict[str, Path], provider: str, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return on_gpu.by_onnxruntime(files[name], provider)


STEPS = (
    Step("machine", "what this machine is", machine),
    Step("engines", "every network of the family is built for this target", engines),
    Step("parity", "every engine says what ONNX Runtime says of the exported graph on this processor", parity),
    Step("speed", "how long a call of every engine takes, copies included", speed),
    Step("server tests", "the server does with these engines what its tests claim", server_tests, SERVED, asks_server=True),
    Step("serving", "latency and throughput of portraits in one call, by clients at once", served, asks_server=True),
    Step("bench", "the rows of the bench's table that are about the server, against what is aimed at", bench, SERVED, asks_server=True),
    Step(
        "baselines",
        "the same portraits without a server and without batching, as NVIDIA's demo/Diffusion runs its engines",
        baselines,
        asks_server=True,
    ),
)

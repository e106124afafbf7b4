"""Claims about rendering whole folders, on the real command line and real processes."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training.people import farm, plan, shards
from training.people.__main__ import main
from training.people.errors import InvalidRequest
from training.people.loader import Dataset

pytestmark = pytest.mark.assets
REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "training.people", "render"]


def a_plan(**more: object) -> plan.Plan:
    given: dict[str, object] = {"kind": "shots", "first_person": 20, "people": 2, "shots": 2, "size": 256, "renderer": plan.renderer_digest()}
    return plan.Plan(**(given | more))  # type: ignore[arg-type]


def digests(folder: Path) -> dict[str, str]:
    return {tar.name: json.loads(shards.index_of(tar).read_text().splitlines()[0])["sha256"] for tar in sorted(folder.glob("*.tar"))}


def test_a_killed_render_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    """kill -9 of the whole process group in the middle, a torn shard, then the same command again."""
    people, shots = 6, 2
    options = ["--people", str(people), "--shots", str(shots), "--first-person", "40", "--pictures-per-shard", "4"]
    process = subprocess.Popen([*COMMAND, *options, "--out", str(tmp_path / "killed")], cwd=REPOSITORY, start_new_session=True)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "killed").glob("*.jsonl")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    killed = tmp_path / "killed"
    partial = next(killed.glob("*.jsonl")).with_suffix(".tar")
    partial.write_bytes(partial.read_bytes()[:5000])
    (killed / "people-0000099.tar.partial").write_bytes(b"half")
    for folder in ("killed", "whole"):
        subprocess.run([*COMMAND, *options, "--out", str(tmp_path / folder)], cwd=REPOSITORY, check=True)
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
    keys = [row.key for row in Dataset(killed).rows]
    assert len(keys) == len(set(keys)) == people * shots
    assert not list(killed.glob("*.partial"))


def test_other_options_for_the_same_folder_are_refused(tmp_path: Path) -> None:
    plan.claim(tmp_path, a_plan())
    with pytest.raises(InvalidRequest, match=r"shots is 2, asked for 3.*another --out"):
        plan.claim(tmp_path, a_plan(shots=3))


def test_a_picture_that_hangs_twice_is_left_out_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker is stopped (SIGSTOP) while it draws its first picture, until that picture is given up."""
    monkeypatch.setattr(farm, "START_LIMIT_S", 20.0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(farm.render, tmp_path, a_plan(people=1), workers=1, picture_limit_s=2.0, quiet=True)
        stopped: set[int | None] = set()
        while not farm.read_failures(tmp_path) and not running.done() and len(stopped) < 5:
            for worker in multiprocessing.active_children():
                if worker.pid not in stopped and worker.pid and list(tmp_path.glob("*.tar.partial")):
                    time.sleep(0.1)  # until it has said which picture it draws
                    os.kill(worker.pid, signal.SIGSTOP)
                    stopped.add(worker.pid)
            time.sleep(0.02)
        assert running.result() == 1
    (failed,) = farm.read_failures(tmp_path)
    keys = [row.key for row in Dataset(tmp_path).rows]
    assert len(keys) == 1
    assert {failed, *keys} == {"0000020-0000", "0000020-0001"}


def test_a_full_disk_stops_before_a_shard_is_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1, 1))
    with pytest.raises(farm.DiskFull, match="make room and give the same command again"):
        farm.render(tmp_path, a_plan(), workers=1, quiet=True)
    assert not list(tmp_path.glob("people-*"))


def test_every_kind_can_be_rendered_and_read(tmp_path: Path) -> None:
    for kind in ("harmonize", "restyle"):
        folder = tmp_path / kind
        farm.render(folder, a_plan(kind=kind, people=1, shots=1), workers=1, quiet=True)
        data = Dataset(folder)
        assert len(data) == 2
        maps = data.maps(data.rows[1])
        assert maps["parts"].shape == (256, 256)
        assert ("mask" in maps) == (kind == "harmonize")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--people", "0", "--shots", "1"], "people is 0, it must be 1 or more"),
        (["--people", "1", "--shots", "0"], "shots is 0, it must be 1 or more"),
        (["--people", "1", "--shots", "1", "--size", "300"], "size is 300; choose one of: 256, 512"),
        (["--people", "1", "--shots", "1", "--kind", "cats"], "unknown kind 'cats'; choose one of: shots"),
        (["--people", "1", "--shots", "1", "--workers", "99"], "workers is 99; this machine has"),
        (["--people", "2", "--shots", "1", "--first-person", "999999"], "lie in two splits, train and validation"),
        (["--people", "1", "--shots", "1", "--first-person", "-4"], "first-person is -4, it must be 0 or more"),
    ],
)
def test_a_bad_request_is_one_line_and_exit_2(options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", *options, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not list(tmp_path.rglob("*.tar"))


def test_missing_assets_name_the_command_that_makes_them(tmp_path: Path) -> None:
    environment = os.environ | {"OMOKAGE_PEOPLE_ASSETS": str(tmp_path)}
    code = "from training.people import assets; assets.load()"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert "run `python -m training.people assets` first" in done.stderr


def test_checking_an_empty_folder_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert "make some with" in capsys.readouterr().err

"""The command line as the contract says: what it prints, what it writes, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from server_config.arguments import Ports
from server_config.supervisor import Server
from tests.server.conftest import SAMPLE

pytestmark = pytest.mark.server
WORDS = "a person in warm light"


@pytest.fixture
def url(whole_server: Server) -> str:
    return whole_server.url


def run(*words: str, code: int = 0, where: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("omokage")
    done = subprocess.run([str(command), *words], capture_output=True, text=True, cwd=where, timeout=120)
    assert done.returncode == code, done.stderr
    return done


def test_from_a_photo_to_a_passport_to_a_portrait(url: str, tmp_path: Path) -> None:
    run(
        "enroll", str(SAMPLE), "--out", "ada.passport", "--name", "Ada", "--purpose", "kiosk", "--expires", "2099-12-31", "--url", url, where=tmp_path
    )
    made = run(
        "portrait", WORDS, "--person", "ada.passport", "--out", "ada.png", "--steps", "2", "--seed", "9", "--url", url, "--json", where=tmp_path
    )
    found = json.loads(made.stdout)
    assert {"image", "system", "seed", "steps", "likeness", "seconds", "server_seconds"} <= found.keys()
    assert (found["image"], found["system"], found["seed"], found["steps"]) == ("ada.png", "crossfaceid", 9, 2)
    with Image.open(tmp_path / "ada.png") as picture:
        assert picture.size == (256, 256)
    assert made.stderr == ""  # no progress in a pipe
    verified = json.loads(run("verify", "ada.png", "--json", where=tmp_path).stdout)
    assert verified["unchanged"] is True
    assert verified["seed"] == 9


def test_a_file_that_was_changed_is_told(url: str, tmp_path: Path) -> None:
    run("portrait", WORDS, "--photo", str(SAMPLE), "--out", "a.png", "--steps", "1", "--seed", "1", "--url", url, where=tmp_path)
    with Image.open(tmp_path / "a.png") as picture:
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("omokage", picture.info["omokage"])
        changed = picture.copy()
        changed.putpixel((3, 3), (1, 2, 3))
        changed.save(tmp_path / "b.png", pnginfo=info)
    assert "its pixels were changed since" in run("verify", "b.png", where=tmp_path).stdout
    assert "is no portrait of Omokage" in run("verify", str(SAMPLE), code=2).stderr


def test_many_portraits_have_seeds_and_names_one_after_another(url: str, tmp_path: Path) -> None:
    done = run(
        "portrait",
        WORDS,
        "--photo",
        str(SAMPLE),
        *("--out", "p.png", "--steps", "1", "--seed", "4", "--count", "2"),
        "--url",
        url,
        "--json",
        where=tmp_path,
    )
    assert [(one["image"], one["seed"]) for one in json.loads(done.stdout)["portraits"]] == [("p-1.png", 4), ("p-2.png", 5)]
    assert (tmp_path / "p-1.png").read_bytes() != (tmp_path / "p-2.png").read_bytes()


def test_step_by_step_with_previews_gives_the_same_file(url: str, tmp_path: Path) -> None:
    asked = ("portrait", WORDS, "--photo", str(SAMPLE), "--steps", "6", "--seed", "4", "--url", url)
    run(*asked, "--out", "once.png", where=tmp_path)
    run(*asked, "--out", "steps.png", "--preview", "seen", where=tmp_path)
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "steps.png").read_bytes()
    run(*asked, "--out", "here.png", "--preview", "here", "--orchestrate", where=tmp_path)
    assert (tmp_path / "once.png").read_bytes() == (tmp_path / "here.png").read_bytes()
    for folder in ("seen", "here"):
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == [f"portrait-1-step-{step:03d}.png" for step in range(1, 7)]
        for path in (tmp_path / folder).iterdir():
            with Image.open(path) as preview:
                assert preview.size == (256, 256)
    assert (tmp_path / "seen" / "portrait-1-step-003.png").read_bytes() == (tmp_path / "here" / "portrait-1-step-003.png").read_bytes()


def test_systems_are_listed_with_their_knobs(url: str) -> None:
    found = json.loads(run("systems", "--json", "--url", url).stdout)
    assert [system["name"] for system in found["systems"]] == ["face0", "face-makeup", "crossfaceid", "megaportrait", "lipe"]
    assert {"name", "default", "low", "high", "meaning", "range"} == found["systems"][0]["knobs"][1].keys()
    listed = run("systems", "--url", url).stdout
    assert "identity_scale" in listed
    assert "sampler          ddim   ddim, euler, " in listed


def test_health(url: str) -> None:
    assert run("health", "--url", url).stdout.strip() == f"{url}: ready"
    nobody = f"127.0.0.1:{Ports.free().grpc}"
    assert "no server answers at" in run("health", "--url", nobody, code=3).stderr


def test_words_in_another_encoding_are_refused(url: str, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("omokage")).encode(), b"portrait", b"ab\xff", b"--photo", str(SAMPLE).encode()]
    done = subprocess.run([*command, b"--out", b"a.png", b"--url", url.encode()], capture_output=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert b"the text is not UTF-8" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--photo", "nobody.jpg"), "nobody.jpg cannot be read"),
        (("--person", "nobody.passport"), "nobody.passport cannot be read"),
        (("--photo", str(SAMPLE), "--system", "lip"), "unknown system 'lip'; choose one of: face0"),
        (("--photo", str(SAMPLE), "--style", str(SAMPLE)), "crossfaceid takes no style picture; it takes: pose"),
        (("--photo", str(SAMPLE), "--set", "steps=0"), "steps is 0"),
        (("--photo", str(SAMPLE), "--set", "warmth=3"), "unknown knob 'warmth'"),
        (("--photo", str(SAMPLE), "--set", "warmth"), "write it as NAME=VALUE"),
        (("--photo", str(SAMPLE), "--mix", "other.passport"), "the passport other.passport cannot be read"),
        (("--character", "-3"), "character is -3; it must be a whole number from 0 to"),
        (("--photo", str(SAMPLE), "--seed", "-3"), "seed is -3"),
        (("--photo", str(SAMPLE), "--count", "0"), "--count is 0"),
        (("--photo", str(SAMPLE), "--preview-every", "0"), "--preview-every is 0"),
        (("--photo", str(SAMPLE), "--priority", "12"), "priority is 12; it must be a whole number from 0 to 9"),
        (("--photo", str(SAMPLE), "--deadline", "-1"), "deadline is -1.0 s"),
        (("--photo", str(SAMPLE), "--deadline", "2", "--orchestrate"), "leave orchestrate out"),
        ((), "one of the arguments --person --photo --character is required"),
    ],
)
def test_a_bad_request_ends_with_2_and_one_line(url: str, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    done = run("portrait", WORDS, *words, "--out", "a.png", "--url", url, code=2, where=tmp_path)
    assert says in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_ends_with_1(url: str) -> None:
    done = run("enroll", str(SAMPLE), "--out", "/nowhere/at/all.passport", "--url", url, code=1)
    assert "cannot be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1

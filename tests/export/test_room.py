"""Long work that has no room for it is refused before it begins, and leaves nothing behind."""

import shutil
from pathlib import Path

import pytest

from export import __main__ as command
from export import room
from export.errors import MissingPiece

NEEDS = room.Needs("building", disk=2, memory=3)


@pytest.mark.parametrize("short", ["disk", "memory"])
def test_work_without_room_is_refused(tmp_path: Path, short: str) -> None:
    free = {"disk": 2 * 2**20, "memory": NEEDS.base + 3 * 2**20}
    room.check("unet", NEEDS, 2**20, tmp_path, lambda _: free["disk"], lambda: free["memory"])
    free[short] -= 1
    wanted = {"disk": "unet: building takes 2 MiB of disk, 2 MiB are free; free some", "memory": "takes 259 MiB of memory, 259 MiB can be had"}
    with pytest.raises(MissingPiece, match=wanted[short]):
        room.check("unet", NEEDS, 2**20, tmp_path, lambda _: free["disk"], lambda: free["memory"])


def test_room_is_told_as_the_system_has_it(tmp_path: Path) -> None:
    assert 0 < room.memory_free() < 2**50
    assert room.disk_free(tmp_path) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)


def test_an_export_asks_for_room_for_the_weights_in_its_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def none(name: str, needs: room.Needs, size: int, folder: Path) -> None:
        asked.append(size)
        raise MissingPiece(f"{name}: no room for {needs.work}")

    monkeypatch.setattr(room, "check", none)
    assert command.main(["unet", "--family", "sdxl", "--out", str(tmp_path / "graphs")]) == 1
    assert command.main(["vae_decoder", "--family", "sdxl", "--out", str(tmp_path / "graphs")]) == 1
    assert "unet: no room for exporting" in capsys.readouterr().err
    assert asked == [2 * 2_567_463_684, 4 * 83_653_863]
    assert not list((tmp_path / "graphs").iterdir())

"""A release can be trained further: what comes back out of its graphs is what went in, rounded to half precision."""

from pathlib import Path

import pytest
import torch

from export import specs
from export.errors import MissingPiece
from export.families import FAMILIES
from export.networks import listen, module, untrained
from export.released import restore, restored
from export.to_onnx import graph, write

pytestmark = pytest.mark.slow

MINI = FAMILIES["mini"]
NAMES = ("context_text", "context_face0")


@pytest.mark.filterwarnings("ignore")  # of the exporter
def test_what_went_into_the_graphs_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(1)
    parts = untrained(MINI)
    with torch.no_grad():
        for value in parts.generator.face0.parameters():
            value.add_(torch.randn_like(value) * 0.1)
    for name in NAMES:
        write(graph(module(parts, name), specs.network(MINI, name)), tmp_path / f"{name}.onnx")
    torch.manual_seed(2)
    found = restored(MINI, tmp_path, NAMES)
    for part in ("text", "face0"):
        wanted = getattr(parts.generator, part).state_dict()
        for name, value in getattr(found.generator, part).state_dict().items():
            torch.testing.assert_close(value, wanted[name], atol=1e-3, rtol=1e-3)


@pytest.mark.filterwarnings("ignore")  # of the exporter
def test_what_is_zero_all_over_comes_back_although_the_exporter_leaves_it_out(tmp_path: Path) -> None:
    parts = untrained(MINI)
    write(graph(module(parts, "harmonizer"), specs.network(MINI, "harmonizer")), tmp_path / "harmonizer.onnx")
    wanted = {name: value.clone() for name, value in parts.harmonizer.state_dict().items()}
    assert not wanted["leave.bias"].any()
    found = restored(MINI, tmp_path, ["harmonizer"]).harmonizer.state_dict()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, atol=1e-3, rtol=1e-3)


@pytest.mark.filterwarnings("ignore")  # of the exporter and of the library that reads the weights of MiniLM
@pytest.mark.parametrize("name", ["face_overlay", "face_expression"])
def test_heads_change_as_before_when_their_networks_come_back(tmp_path: Path, name: str) -> None:
    """With silence and what is faint, which are no weights, and with maps, of which some are read in two places."""
    torch.manual_seed(1)
    parts = untrained(MINI)
    with torch.no_grad():
        for value in (*parts.overlay.parameters(), *parts.expression.parameters()):
            value.add_(torch.rand_like(value) * 0.1)
    listen(parts)
    write(graph(module(parts, name), specs.network(MINI, name)), tmp_path / f"{name}.onnx")
    torch.manual_seed(2)
    found = restored(MINI, tmp_path, [name])
    draw = torch.Generator().manual_seed(3)
    head = torch.rand(2, 3, 192, 192, generator=draw) if name == "face_overlay" else torch.randn(2, 468, 3, generator=draw)
    given = (head, torch.randn(2, 77, 384, generator=draw), torch.ones(2, 77), torch.ones(2))
    with torch.no_grad():
        before, after = (module(one, name)(*given) for one in (parts, found))
    assert (before - head).abs().max() > 0.01
    torch.testing.assert_close(after, before, atol=5e-3, rtol=5e-3)


@pytest.mark.filterwarnings("ignore")  # of the exporter and of the library that reads the weights of MiniLM
def test_clothes_are_seen_as_before_when_the_network_that_lays_heads_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(1)
    parts, name = untrained(MINI), "condition_pose"
    with torch.no_grad():
        for value in parts.clothes.parameters():
            value.add_(torch.rand_like(value) * 0.1)
    write(graph(module(parts, name), specs.network(MINI, name)), tmp_path / f"{name}.onnx")
    torch.manual_seed(2)
    found = restored(MINI, tmp_path, [name])
    texture = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        torch.testing.assert_close(found.clothes(texture), parts.clothes(texture), atol=2e-2, rtol=5e-3)


def test_a_release_without_a_graph_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPiece, match=r"unet\.onnx is not there; give the folder of a release"):
        restore(untrained(MINI), "unet", tmp_path)

"""What the specs say of a family is what its modules do."""

import ast
from pathlib import Path

import pytest
import torch

from export import specs
from export.controlnet import ControlNet
from export.families import FAMILIES, UnetShape
from export.unet import Unet

MINI = FAMILIES["mini"]


@pytest.mark.parametrize(
    "shape",
    [
        UnetShape(channels=(32, 64, 64), heads=(1, 2, 2)),
        UnetShape(channels=(32, 64), heads=(1, 2), attention=(True, True), layers_per_block=2),
        UnetShape(channels=(32, 64), heads=(1, 2), attention=(True, True), patch=2, pooled=True),
    ],
)
@torch.no_grad()
def test_widths_and_residuals_are_those_of_the_modules(shape: UnetShape) -> None:
    unet, control = Unet(shape), ControlNet(shape)
    assert unet.kv_width == shape.kv_width(whole=True)
    assert control.kv_width == shape.kv_width(whole=False)
    latent, step = torch.randn(1, shape.latent_channels, 16, 16), torch.tensor([500])
    residuals = control(latent, step, torch.rand(1, 3, 128, 128), torch.randn(1, 16, control.kv_width), torch.ones(1))
    assert [tuple(one.shape[1:]) for one in residuals] == [(channels, 16 // coarser, 16 // coarser) for channels, coarser in shape.residuals()]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_name_is_used_twice_and_one_name_means_one_thing(family: str) -> None:
    seen: dict[str, tuple[object, ...]] = {}
    for network in specs.networks(FAMILIES[family]).values():
        names = [tensor.name for tensor in (*network.inputs, *network.outputs)]
        assert len(names) == len(set(names)), network.name
        for tensor in (*network.inputs, *network.outputs):
            if tensor.name not in ("picture", "mask"):  # of 0..1 for a condition, of -1..1 for the autoencoder; of words or of pixels
                assert seen.setdefault(tensor.name, (tensor.dtype, tensor.dims[1:])) == (tensor.dtype, tensor.dims[1:]), tensor.name


@pytest.mark.parametrize("family", FAMILIES)
def test_every_batch_may_be_one(family: str) -> None:
    for network in specs.networks(FAMILIES[family]).values():
        for tensor in (*network.inputs, *network.outputs):
            if network.name == "unet_gradient":
                assert tensor.dims[0] == specs.LEARNING_ROWS
                continue
            assert tensor.shape("min")[0] == 1
            assert tensor.dims[0] == (1 if network.name in ("face_detector", "face_landmarks", "person_mask") else FAMILIES[family].batch)


def test_an_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="has no network 'unett'; it has: text_encoder"):
        specs.network(MINI, "unett")


@pytest.mark.parametrize("name", ["tensors", "families", "specs"])
def test_specs_need_the_standard_library_only(name: str) -> None:
    tree = ast.parse((Path(specs.__file__).parent / f"{name}.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules <= {"dataclasses", "typing", "export.tensors", "export.families"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]

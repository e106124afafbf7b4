"""Public weights: recognised by their tensors, taken to the last number, refused where they do not fit or hold code."""

import pickle
import re
from pathlib import Path

import pytest
import torch
from transformers import CLIPTextModel

from export import published
from export.errors import DamagedData, InvalidRequest, Mismatch, MissingPiece
from export.families import Family
from export.loaders.formats import bring
from tests.export import as_published
from tests.export.brought import SD15, SDXL, assert_same, part, pipeline, saved
from tests.export.narrow import NARROW


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
@pytest.mark.slow
def test_a_folder_of_diffusers_is_taken_whole_whatever_its_files_are_called(family: Family, tmp_path: Path) -> None:
    folder = pipeline(family, tmp_path)
    (folder / "unet").rename(folder / "something")
    (folder / "something" / "model.safetensors").rename(folder / "something" / "else.safetensors")
    found = bring(family, [folder])
    for component in ("unet", "vae", "text_encoder", "controlnet", "image_encoder", "safety_checker"):
        assert_same(found, family, component)
    assert found.licences["unet"] == "diffusers: as whoever published the file says"


def test_what_diffusers_itself_saves_in_shards_and_older_names_is_taken(tmp_path: Path) -> None:
    part("sd15", "unet").save_pretrained(tmp_path / "unet", max_shard_size="100KB")
    assert len(list((tmp_path / "unet").glob("*.safetensors"))) > 1
    old = {}
    for name, value in part("sd15", "vae").state_dict().items():
        for now, before in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            name = name.replace(now, before)
        old[name] = value
    saved(tmp_path / "vae" / "model.safetensors", old)
    found = bring(SD15, [tmp_path])
    assert_same(found, SD15, "unet")
    assert_same(found, SD15, "vae")
    next((tmp_path / "unet").glob("*-00002-*")).unlink()
    with pytest.raises(MissingPiece, match=r"unet lacks .*-00002-of-.*, which its index lists"):
        bring(SD15, [tmp_path])


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
def test_what_diffusers_and_transformers_save_today_is_taken(family: Family, tmp_path: Path) -> None:
    kinds = ["unet", "vae", "controlnet", "image_encoder", "safety_checker", *(["text_encoder_2"] if len(family.clip) > 1 else [])]
    for component in kinds:
        part(family.name, component).save_pretrained(tmp_path / component)
    words = part(family.name, "text_encoder")
    encoder = CLIPTextModel(words.config)
    names = {name.removeprefix("text_model.") for name in words.state_dict()} & encoder.state_dict().keys()
    assert names == encoder.state_dict().keys(), "the two are one network"
    encoder.load_state_dict({name: words.state_dict()[f"text_model.{name}"] for name in names})
    encoder.save_pretrained(tmp_path / "text_encoder")
    found = bring(family, [tmp_path])
    for component in (*kinds, "text_encoder"):
        assert_same(found, family, component)


def test_an_index_of_shards_that_is_no_json_is_told(tmp_path: Path) -> None:
    part("sd15", "unet").save_pretrained(tmp_path, max_shard_size="100KB")
    index = next(tmp_path.glob("*.index.json"))
    index.write_text(index.read_text()[:99])
    with pytest.raises(DamagedData, match="is cut off or damaged: it has no whole JSON"):
        bring(SD15, [tmp_path])


def test_weights_that_half_precision_does_not_hold_are_refused(tmp_path: Path) -> None:
    tensors = {name: value.clone() for name, value in part("sd15", "vae").state_dict().items()}
    tensors["decoder.conv_in.weight"][0, 0, 0, 0] = 70000.0
    found = bring(SD15, [saved(tmp_path / "x.safetensors", tensors)])
    with pytest.raises(Mismatch, match=r"vae of sd15 has weights beyond what fp16 holds, 65504, .*decoder\.conv_in\.weight"):
        published.module(SD15, "vae_decoder", found.weights, "fp16")
    published.module(SD15, "vae_decoder", found.weights, "fp32")


@pytest.mark.parametrize("family", [SD15, SDXL], ids=lambda family: family.name)
def test_a_single_file_is_taken_as_diffusers_converts_it(family: Family, tmp_path: Path) -> None:
    words = ["text_encoder", "text_encoder_2"][: len(family.clip)]
    encoders = [part(family.name, name) for name in words]
    tensors = as_published.single_file(part(family.name, "unet"), part(family.name, "vae"), encoders, family.unet.layers_per_block)
    path = saved(tmp_path / "x.safetensors", tensors)
    found = bring(family, [path])
    for component in ("unet", "vae", *words):
        assert_same(found, family, component)
    with pytest.raises(Mismatch, match=r"1 extra \(model\.diffusion_model\.new\.weight\)"):
        bring(family, [saved(path, {**tensors, "model.diffusion_model.new.weight": torch.zeros(3)})])
    other = SDXL if family is SD15 else SD15
    with pytest.raises(Mismatch, match=f"is of {family.name}, .* give --family {family.name}"):
        bring(other, [saved(path, tensors)])


def test_missing_extra_and_misshapen_tensors_are_listed(tmp_path: Path) -> None:
    tensors = dict(part("sd15", "unet").state_dict())
    for name in [name for name in tensors if name.startswith("up_blocks.1.resnets.1")][:5]:
        del tensors[name]
    tensors["surplus.weight"] = torch.zeros(2)
    tensors["conv_in.weight"] = torch.zeros(16, 9, 3, 3)  # as a UNet for inpainting has
    path = saved(tmp_path / "x.safetensors", tensors)
    with pytest.raises(Mismatch) as caught:
        bring(SD15, [path])
    text = str(caught.value)
    assert re.search(r"5 missing \((up_blocks\.1\.resnets\.1\.[a-z0-9_.]+(, )?){5}\)", text)
    assert "1 extra (surplus.weight)" in text
    assert "1 misshapen (conv_in.weight: [16, 9, 3, 3], wanted [16, 4, 3, 3])" in text


def test_weights_of_another_family_are_told_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("export.loaders.fit.FAMILIES", NARROW)
    for mine, other in ((SD15, SDXL), (SDXL, SD15)):
        path = saved(tmp_path / "x.safetensors", part(other.name, "unet").state_dict())
        with pytest.raises(Mismatch, match=f"its unet is not that of {mine.name}: .*; it is of {other.name}: give --family {other.name}"):
            bring(mine, [path])


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('it ran')",))


def test_files_that_are_cut_off_hold_code_or_are_of_no_known_format_are_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.safetensors", part("sd15", "vae").state_dict())
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(DamagedData, match=r"cut\.safetensors is cut off or damaged"):
        bring(SD15, [cut])
    torch.save({"x": torch.zeros(1000)}, tmp_path / "whole.bin")
    (tmp_path / "cut.bin").write_bytes((tmp_path / "whole.bin").read_bytes()[:-600])
    with pytest.raises(DamagedData, match=r"cut\.bin is cut off"):
        bring(SD15, [tmp_path / "cut.bin"])
    torch.save({"image_proj": Code()}, tmp_path / "code.bin")
    (tmp_path / "code.pkl").write_bytes(pickle.dumps(Code(), protocol=2))
    for name in ("code.bin", "code.pkl"):
        with pytest.raises(InvalidRequest, match="no pickle of tensors alone, so it is not opened"):
            bring(SD15, [tmp_path / name])
    with pytest.raises(InvalidRequest, match=r"x\.safetensors is of no known format: its 1 tensors begin with weight"):
        bring(SD15, [saved(tmp_path / "x.safetensors", {"weight": torch.zeros(2)})])
    with pytest.raises(MissingPiece, match="is not there"):
        bring(SD15, [tmp_path / "nothing.safetensors"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPiece, match="has no weights"):
        bring(SD15, [tmp_path / "empty"])
    with pytest.raises(InvalidRequest, match="brings vae, which another file has brought"):
        bring(SD15, [whole, whole])

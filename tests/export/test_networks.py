"""What training left is taken only where it fits the family; what is exported gets its sum."""

from pathlib import Path

import pytest
from safetensors.torch import save_file

from export import sums
from export.__main__ import main
from export.autoencoder import Autoencoder
from export.errors import Mismatch, MissingPiece
from export.families import FAMILIES, AutoencoderShape
from export.networks import trained

MINI = FAMILIES["mini"]


def test_weights_of_another_shape_are_refused_with_both_ways_out(tmp_path: Path) -> None:
    other = Autoencoder(AutoencoderShape(latent_channels=4))
    (tmp_path / "decoder").mkdir()
    save_file({name: value.contiguous() for name, value in other.state_dict().items()}, tmp_path / "decoder" / "weights.safetensors")
    with pytest.raises(Mismatch, match=r"is not of the shape of the family mini \(size mismatch.*bring that to what was trained"):
        trained(MINI, tmp_path)


def test_a_stage_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPiece, match=r"python -m training\.mini decoder"):
        trained(MINI, tmp_path)


def test_another_stages_generator_is_asked_of_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["context_crossfaceid", "--generator", "same-shot"]) == 2
    assert "--generator same-shot is a stage of a folder; give that, too: --trained FOLDER" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")  # of torch's exporter
@pytest.mark.slow
def test_what_is_exported_gets_its_sum_and_what_lies_beside_it_keeps_its_own(tmp_path: Path) -> None:
    other = tmp_path / "unet.onnx"
    other.write_bytes(b"whole")
    sums.put([other])
    before = sums.known(tmp_path)
    other.write_bytes(b"damaged")
    assert main(["condition_shading", "--out", str(tmp_path)]) == 0
    after = sums.known(tmp_path)
    assert before is not None
    assert after is not None
    sums.check(tmp_path / "condition_shading.onnx")
    assert {name: found for name, found in after.items() if name == "unet.onnx"} == before

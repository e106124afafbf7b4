"""Claims about shards: what is written can be read back, by us and by WebDataset, and what is torn is found."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import webdataset

from training.people import shards
from training.people.drawing import encoded
from training.people.errors import DamagedData, MissingPiece
from training.people.loader import Dataset


def write(tar: Path, count: int = 5) -> list[np.ndarray]:  # type: ignore[type-arg]
    images = []
    with shards.Writer(tar) as writer:
        for number in range(count):
            image = np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)
            record = {"key": f"{number:07}-0000", "group": "g", "role": "shot", "split": "train", "person": {"seed": number}}
            depth = cv2.imencode(".png", np.full((64, 64), number, np.uint8))[1].tobytes()
            writer.add(record, encoded(image, lossless=True), {"parts.png": depth})
            images.append(image)
    return images


def test_images_come_back_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    images = write(tmp_path / "people-0000000.tar")
    data = Dataset(tmp_path)
    assert len(data) == 5
    assert all((found == image).all() for found, image in zip(data.images(), images, strict=True))
    assert data.record(data.rows[3])["person"]["seed"] == 3


def test_part_maps_come_in_the_order_of_the_images(tmp_path: Path) -> None:
    write(tmp_path / "people-0000000.tar")
    write(tmp_path / "people-0000005.tar", 2)
    assert [int(found[0, 0]) for found in Dataset(tmp_path).part_maps()] == [0, 1, 2, 3, 4, 0, 1]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # WebDataset leaves its file open
def test_webdataset_reads_a_shard(tmp_path: Path) -> None:
    write(tmp_path / "people-0000000.tar")
    samples = list(webdataset.WebDataset(str(tmp_path / "people-0000000.tar"), shardshuffle=False, empty_check=False))
    assert [sample["__key__"] for sample in samples] == [f"{number:07}-0000" for number in range(5)]
    assert {"json", "png", "parts.png"} <= set(samples[0])


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), shards.Writer(tmp_path / "people-0000000.tar") as writer:
        writer.add({"key": "a"}, ("png", b""), {})
    assert list(tmp_path.iterdir()) == []
    assert not shards.is_whole(tmp_path / "people-0000000.tar")
    with pytest.raises(MissingPiece, match="make some with"):
        Dataset(tmp_path)


def test_a_truncated_shard_is_found(tmp_path: Path) -> None:
    tar = tmp_path / "people-0000000.tar"
    write(tar)
    tar.write_bytes(tar.read_bytes()[:-100])
    assert not shards.is_whole(tar)
    with pytest.raises(DamagedData, match="render again into the same folder"):
        Dataset(tmp_path)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    tar = tmp_path / "people-0000000.tar"
    write(tar)
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    with pytest.raises(DamagedData, match="sha256"):
        shards.verify(tar)


def test_a_shard_without_its_index_is_made_again(tmp_path: Path) -> None:
    tar = tmp_path / "people-0000000.tar"
    write(tar)
    shards.index_of(tar).unlink()
    assert not shards.is_whole(tar)

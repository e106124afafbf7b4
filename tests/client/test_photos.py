"""Photos as people send them: every mode becomes upright RGB, everything else a refusal that says why."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from omokage import photos
from omokage.photos import BadPhoto
from PIL import Image

RED = (200, 30, 40)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def plain(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, RED).convert(mode)


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        pytest.param(encoded(plain()), 0, id="png"),
        pytest.param(encoded(plain(), "JPEG"), 4, id="jpeg"),
        pytest.param(encoded(plain(), "WEBP", lossless=True), 0, id="webp"),
        pytest.param(encoded(plain("CMYK"), "JPEG"), 6, id="cmyk"),
        pytest.param(encoded(plain().quantize(4)), 2, id="palette"),
        pytest.param(encoded(plain("RGBA")), 0, id="alpha"),
        pytest.param(encoded(plain(), "BMP"), 0, id="bmp"),
        pytest.param(encoded(plain(), "TIFF"), 0, id="tiff"),
    ],
)
def test_every_colour_mode_becomes_the_same_rgb(data: bytes, tolerance: int) -> None:
    pixels = photos.read(data).pixels
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - RED).max() <= tolerance


@pytest.mark.parametrize(
    ("picture", "grey"),
    [
        pytest.param(Image.new("L", (20, 20), 77), 77, id="grey"),
        pytest.param(Image.fromarray(np.full((20, 20), 77 * 257, np.uint16)), 77, id="16 bit"),
        pytest.param(Image.new("1", (20, 20), 1), 255, id="1 bit"),
        pytest.param(Image.new("LA", (20, 20), (77, 0)), 255, id="transparent grey"),
    ],
)
def test_grey_pictures_become_grey_rgb_and_transparent_ones_white(picture: Image.Image, grey: int) -> None:
    assert photos.read(encoded(picture)).pixels.tolist() == np.full((20, 20, 3), grey).tolist()


def test_a_photo_is_turned_as_its_camera_says() -> None:
    picture = Image.new("RGB", (64, 32), "black")
    picture.paste("white", (0, 0, 16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees to see it upright
    photo = photos.read(encoded(picture, "PNG", exif=exif))
    assert photo.pixels.shape == (64, 32, 3)
    assert photo.pixels[:16].min() == 255
    assert photo.pixels[16:].max() == 0
    assert photo.notes == ("turned as its camera says",)


def test_of_an_animation_the_first_picture_is_used_and_said_to_be() -> None:
    data = encoded(plain(), "GIF", save_all=True, append_images=[Image.new("RGB", (64, 48), colour) for colour in ("blue", "green")])
    photo = photos.read(data)
    assert photo.notes == ("the first of 3 pictures was used",)
    assert photo.pixels[..., 0].min() > 150


def bomb() -> bytes:
    """A PNG that says it is 60,000 x 60,000 and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "the photo is empty (0 bytes)", id="empty"),
        pytest.param(b"just some text, no picture", "the photo is none of JPEG, PNG", id="text"),
        pytest.param(encoded(Image.effect_noise((400, 300), 80).convert("RGB"), "JPEG")[:9000], "ends early or is damaged", id="cut"),
        pytest.param(bomb(), "the photo says it is far larger than 64 megapixels", id="bomb"),
        pytest.param(encoded(Image.new("1", (12_000, 9_000))), "the photo is 12000 x 9000", id="huge"),
        pytest.param(encoded(plain(size=(1, 1))), "the photo is 1 x 1, its smaller side must be 16", id="1x1"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(photos.MOST_BYTES), "the photo has 32 MiB", id="heavy"),
    ],
)
def test_what_is_no_photo_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(BadPhoto) as refused:
        photos.read(data)
    assert says in str(refused.value)
    assert "send" in str(refused.value)
    assert "/" not in str(refused.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.filterwarnings("ignore")  # of Pillow's decoders, on damaged files
def test_a_file_cut_anywhere_is_a_photo_or_a_refusal(kind: str) -> None:
    picture = Image.effect_noise((40, 40), 60).convert("RGB")
    several: dict[str, object] = {"save_all": True, "append_images": [picture, picture]} if kind in ("TIFF", "GIF") else {}
    whole = encoded(picture, kind, **several)
    for end in range(1, len(whole), 7):
        with contextlib.suppress(BadPhoto):
            photos.read(whole[:end])

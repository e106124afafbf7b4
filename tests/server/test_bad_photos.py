"""Photos that cannot be used, and odd ones that can: through the real server, which goes on serving."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import omokage
import pytest
from omokage.texts import text
from PIL import Image

pytestmark = pytest.mark.server


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG of 40,000 x 40,000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def far_away(sample: Image.Image) -> bytes:
    """The person so far away that the face is about 25 pixels wide."""
    scene = Image.new("RGB", (512, 512), "grey")
    scene.paste(sample.resize((72, 72)), (220, 220))
    return file(scene)


@pytest.fixture
def photo(sample: bytes) -> Image.Image:
    return Image.open(io.BytesIO(sample)).convert("RGB")


BAD: dict[str, tuple[Callable[[Image.Image], bytes], str]] = {
    "empty": (lambda sample: b"", "the photo is empty (0 bytes)"),
    "text named jpg": (lambda sample: b"this is no picture at all", "the photo is none of JPEG, PNG"),
    "cut in the middle": (lambda sample: file(sample, "JPEG")[:3000], "ends early or is damaged"),
    "bomb": (lambda sample: bomb(), "far larger than 64 megapixels"),
    "1 x 1": (lambda sample: file(Image.new("RGB", (1, 1))), "its smaller side must be 16 pixels or more"),
    "12000 x 9000": (lambda sample: file(Image.new("1", (12000, 9000))), "the photo is 12000 x 9000, at most 64 megapixels"),
    "no face": (lambda sample: file(Image.new("RGB", (300, 300), "green")), "no face was found"),
    "a face far away": (far_away, "it must be 48 or more"),
    "beyond 32 MiB": (lambda sample: file(sample) + b"\0" * (33 * 2**20), "at most 32 are taken"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_refused_with_what_to_do(omokage_client: omokage.Client, photo: Image.Image, sample: bytes, case: str) -> None:
    make, says = BAD[case]
    with pytest.raises(omokage.InvalidRequest) as refused:
        omokage_client.enroll(make(photo))
    assert says in str(refused.value)
    assert "/" not in str(refused.value)
    assert "in ensemble" not in str(refused.value)
    assert omokage_client.enroll(sample).family == "mini"


ODD: dict[str, Callable[[Image.Image], bytes]] = {
    "CMYK": lambda photo: file(photo.convert("CMYK"), "JPEG", quality=95),
    "16 bits": lambda photo: file(Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257)),
    "grey": lambda photo: file(photo.convert("L")),
    "palette": lambda photo: file(photo.quantize(256)),
    "alpha": lambda photo: file(photo.convert("RGBA")),
    "animated": lambda photo: file(photo, "GIF", save_all=True, append_images=[Image.new("RGB", photo.size)]),
    "turned by its camera": lambda photo: file(photo.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=_turned()),
}


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("case", ODD)
def test_odd_photos_show_the_same_person(omokage_client: omokage.Client, photo: Image.Image, passport: omokage.Passport, case: str) -> None:
    found = omokage_client.enroll(ODD[case](photo))
    assert float((found.face.identity * passport.face.identity).sum()) > 0.8


def test_of_two_faces_the_larger_is_used_and_the_report_says_so(
    omokage_client: omokage.Client, photo: Image.Image, passport: omokage.Passport
) -> None:
    both = Image.new("RGB", (900, 512), "white")
    both.paste(photo, (0, 0))
    both.paste(photo.resize((340, 340)), (540, 60))
    found = omokage_client._transport.infer("encode_person", {"photo": text(file(both))})
    assert json.loads(found["report"][0, 0])["notes"] == ["2 faces were found, the largest was used"]
    assert found["points"][0, :, 0].max() < 512
    assert float((found["identity"] * passport.face.identity).sum()) > 0.9

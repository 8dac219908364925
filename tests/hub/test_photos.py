"""Photos that people hand in: what they tell beside the picture is taken out, losslessly."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from hub.domain.errors import InvalidError
from hub.domain.photo_metadata import PhotoError, strip_jpeg, strip_png, strip_webp
from hub.services.evidence.photo import looked_at

SECRETS = (b"Telephone Maker", b"Zhao Lei", b"http://ns.adobe.com/xap", b"HIDDEN FILM")


def picture() -> Image.Image:
    image = Image.new("RGB", (80, 60))
    dice = random.Random(1)
    image.putdata([(dice.randrange(256), x % 256, 90) for x in range(80 * 60)])
    return image


def telling(kind: str, orientation: int = 6, **how: Any) -> bytes:
    """A photo that tells its place, its owner and its device, and hides a film behind its end."""
    exif = Image.Exif()
    exif[0x010F], exif[0x013B], exif[0x0112] = "Telephone Maker", "Zhao Lei", orientation
    exif.get_ifd(0x8825)[2] = (34.0, 45.0, 30.0)
    exif.get_ifd(0x8769)[0x9003] = "2026:11:24 08:00:00"
    out = io.BytesIO()
    if kind == "PNG":
        info = PngInfo()
        info.add_text("Author", "Zhao Lei")
        how |= {"pnginfo": info}
    if kind == "JPEG":
        how |= {"comment": b"Zhao Lei", "xmp": b"<x>http://ns.adobe.com/xap</x>"}
    picture().save(out, kind, exif=exif, **how)
    return out.getvalue() + b"HIDDEN FILM"


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "quality": 95}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 80}),
    ],
)
def test_a_kept_photo_tells_only_its_picture(kind: str, how: dict[str, Any]) -> None:
    before = telling(kind, **how)
    after = looked_at(before)
    assert after.media_type == f"image/{kind.lower()}"
    assert [s for s in SECRETS if s in after.data] == []
    with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after.data)) as other:
        assert ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None
        assert dict(other.getexif().get_ifd(0x8825)) == {}


def test_which_way_is_up_and_when_it_was_taken_stay() -> None:
    with Image.open(io.BytesIO(looked_at(telling("JPEG")).data)) as image:
        exif = image.getexif()
    assert exif[0x0112] == 6
    assert exif.get_ifd(0x8769)[0x9003] == "2026:11:24 08:00:00"


def test_a_clean_photo_stays_as_it_is() -> None:
    once = looked_at(telling("JPEG")).data
    assert looked_at(once).data == once


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damaged Exif data
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_that_was_cut_or_spoilt_is_refused_or_still_tells_nothing(kind: str) -> None:
    whole = telling(kind).removesuffix(b"HIDDEN FILM")
    dice = random.Random(2)
    for n in range(60):
        spoilt = bytearray(whole[: dice.randrange(len(whole))] if n % 2 else whole)
        for _ in range(3):
            if spoilt:
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        try:
            kept = looked_at(bytes(spoilt)).data
        except InvalidError:
            continue
        assert b"GPS" not in kept


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", b"GIF89a" + bytes(40), b"\xff\xd8\xff\xd9", b"BM" + bytes(60)]
)
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError, match=r"photo"):
        looked_at(data)


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (64, 64)).save(out, "PNG")
    data = bytearray(out.getvalue())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(InvalidError, match="megapixels"):
        looked_at(bytes(data))


@pytest.mark.parametrize("strip", [strip_jpeg, strip_png, strip_webp])
def test_no_bytes_at_all_make_the_stripping_fall_over(strip: object) -> None:
    dice = random.Random(3)
    for _ in range(200):
        data = dice.choice([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\x99\0\0\0WEBP"])
        data += dice.randbytes(dice.randrange(80))
        with pytest.raises(PhotoError):
            strip(data)  # type: ignore[operator]

"""Previews of still pictures in every format, and those that are refused before they are decoded."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from fileserver.media.engine.pictures import stills
from fileserver.media.engine.pictures.stills import MOST_PIXELS, preview
from fileserver.media.faults import CannotConvert, DamagedMedia, NotMedia
from fileserver.media.jxl import jxl_size
from tests.media.engine.conftest import Opened

SIZE = (480, 320)

FORMATS = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "tif": "image/tiff",
    "bmp": "image/bmp",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "jxl": "image/jxl",
    "jp2": "image/jp2",
    "tga": "image/x-tga",
    "ppm": "image/x-portable-pixmap",
}


@pytest.fixture(autouse=True, scope="module")
def _decoders() -> None:
    stills.prepare()


def drawn() -> Image.Image:
    """Red grows to the right, green downwards."""
    down, right = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    parts = (right * 255 // SIZE[0], down * 255 // SIZE[1], np.full_like(right, 60))
    return Image.fromarray(np.stack(parts, axis=-1).astype(np.uint8))


def pixels(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.convert("RGB"), dtype=np.int16)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def previewed(opened: Opened, path: Path, media_type: str, width: int = 240) -> Image.Image:
    product = io.BytesIO()
    with opened(path, media_type) as source:
        preview(source, {"width": width}, product)
    made = Image.open(product)
    made.load()
    assert made.format == "WEBP"
    return made


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_has_a_preview(ending: str, tmp_path: Path, opened: Opened) -> None:
    made = previewed(opened, saved(drawn(), tmp_path / f"p.{ending}"), FORMATS[ending])
    assert made.size == (240, 160)
    assert np.abs(pixels(made) - pixels(drawn().resize(made.size))).mean() < 6


def test_an_icon_shows_its_largest_picture(tmp_path: Path, opened: Opened) -> None:
    icon = saved(drawn().resize((256, 256)), tmp_path / "p.ico", sizes=[(16, 16), (128, 128), (64, 64)])
    assert previewed(opened, icon, "image/x-icon").size == (128, 128)


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_of_several_pictures_the_first_is_shown(ending: str, tmp_path: Path, opened: Opened) -> None:
    others = [Image.new("RGB", SIZE, "white")]
    path = saved(drawn(), tmp_path / f"p.{ending}", save_all=True, append_images=others)
    assert np.abs(pixels(previewed(opened, path, FORMATS[ending])) - pixels(drawn().resize((240, 160)))).mean() < 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_depth_of_png_is_shown(mode: str, tmp_path: Path, opened: Opened) -> None:
    grey = drawn().convert("L")
    wide = grey.convert("I").point(lambda value: value * 257)
    picture = wide.convert("I;16") if mode == "I;16" else grey.convert(mode)
    made = previewed(opened, saved(picture, tmp_path / "p.png"), "image/png")
    assert np.abs(pixels(made) - pixels(grey.resize(made.size))).mean() < (40 if mode == "1" else 4)


@pytest.mark.parametrize("mode", ["F", "I", "CMYK", "LAB"])
def test_every_depth_of_tiff_is_shown(mode: str, tmp_path: Path, opened: Opened) -> None:
    grey = drawn().convert("L")
    numbers = {"F": grey.convert("F").point(lambda value: value * 3.5 - 200), "I": grey.convert("I")}
    in_lab = ImageCms.profileToProfile(
        grey.convert("RGB"), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert in_lab is not None
    picture = {**numbers, "CMYK": grey.convert("RGB").convert("CMYK"), "LAB": in_lab}[mode]
    made = previewed(opened, saved(picture, tmp_path / "p.tif"), "image/tiff")
    shown = pixels(made)[:, 20:220:20].mean(axis=(0, 2))
    assert np.all(np.diff(shown) > 0)  # brighter from left to right


def test_what_is_transparent_stays_so(tmp_path: Path, opened: Opened) -> None:
    picture = drawn().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, SIZE[0] // 2, SIZE[1]))
    for path, media_type in (
        (saved(picture, tmp_path / "p.png"), "image/png"),
        (saved(picture.convert("RGBA").quantize(64), tmp_path / "q.png"), "image/png"),
        (saved(picture, tmp_path / "p.avif"), "image/avif"),
    ):
        alpha = np.asarray(previewed(opened, path, media_type).convert("RGBA"))[..., 3]
        assert alpha[:, :110].max() < 10
        assert alpha[:, 130:].min() > 245


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "avif"])
def test_a_preview_stands_upright(ending: str, orientation: int, tmp_path: Path, opened: Opened) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    made = previewed(opened, saved(drawn(), tmp_path / f"p.{ending}", exif=exif), FORMATS[ending])
    turned = {  # EXIF 2.32 s.4.6.5: which side the first row is, and the first column
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }
    row, column = turned[orientation]
    assert _dark_side(pixels(made)[..., 1]) == row  # green grows from the first row on
    assert _dark_side(pixels(made)[..., 0]) == column
    assert made.width == 240


@pytest.mark.parametrize("ending", ["heic", "jxl"])
def test_decoders_that_turn_a_picture_by_themselves_are_not_helped(ending: str, tmp_path: Path, opened: Opened) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    made = previewed(opened, saved(drawn(), tmp_path / f"p.{ending}", exif=exif.tobytes()), FORMATS[ending])
    shown = (made.width > made.height, _dark_side(pixels(made)[..., 1]), _dark_side(pixels(made)[..., 0]))
    # HEIC is turned by its own property, made of the tag; of JPEG XL the tag says nothing (ISO 18181-2 s.9.5).
    assert shown == ((False, "right", "top") if ending == "heic" else (True, "top", "left"))


def _dark_side(channel: NDArray[Any]) -> str:
    height, width = channel.shape
    sides = {
        "top": channel[: height // 8],
        "bottom": channel[-height // 8 :],
        "left": channel[:, : width // 8],
        "right": channel[:, -width // 8 :],
    }
    return min(sides, key=lambda side: float(sides[side].mean()))


def test_a_preview_says_nothing_of_place_and_person(tmp_path: Path, opened: Opened) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 0.0)
    path = saved(drawn(), tmp_path / "p.jpg", exif=exif, comment=b"Somebody", xmp=b"<x>Somebody</x>")
    product = io.BytesIO()
    with opened(path) as source:
        preview(source, {"width": 100}, product)
    assert b"Somebody" in path.read_bytes()
    assert product.getvalue()[12:16] == b"VP8 "  # the plain container, in which nothing else has a place


def test_colours_of_another_profile_are_those_of_srgb(tmp_path: Path, opened: Opened) -> None:
    """The profile swaps red and green."""
    path = saved(Image.new("RGB", (64, 64), (200, 40, 40)), tmp_path / "p.png", icc_profile=_swapping_profile())
    red, green, blue = pixels(previewed(opened, path, "image/png"))[32, 32]
    assert green > 150
    assert max(red, blue) < 110


@pytest.mark.parametrize("profile", [b"no profile", b"\x00" * 200])
def test_a_broken_profile_is_passed_over(profile: bytes, tmp_path: Path, opened: Opened) -> None:
    path = saved(drawn(), tmp_path / "p.png", icc_profile=profile)
    assert previewed(opened, path, "image/png").size == (240, 160)


def _swapping_profile() -> bytes:
    """sRGB with the tags of red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, other in ((b"rXYZ", b"?XYZ"), (b"gXYZ", b"rXYZ"), (b"?XYZ", b"gXYZ")):
        at = profile.index(name, 128)
        profile[at : at + 4] = other
    return bytes(profile)


def test_a_large_photograph_is_decoded_small(tmp_path: Path, opened: Opened) -> None:
    path = saved(Image.new("L", (16_000, 12_000), 128), tmp_path / "p.jpg", quality=5)
    assert previewed(opened, path, "image/jpeg", 320).size == (320, 240)


def png_of(width: int, height: int) -> bytes:
    """Its head, and a few bytes that would never fill it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    told = (struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


def gif_of(width: int, height: int) -> bytes:
    screen, frame = struct.pack("<HHBBB", width, height, 0, 0, 0), struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"GIF89a" + screen + b"," + frame + b"\x02\x02\x4c\x01\x00;"


def jxl_of(width: int, height: int) -> bytes:
    """Its head alone: not small, both lengths in 30 bits (ISO 18181-1 D.2)."""
    bits = 0b110 | (height - 1) << 3 | 0b11 << 36 | (width - 1) << 38
    return b"\xff\x0a" + bits.to_bytes(10, "little")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (png_of(20_000, 20_000), "image/png"),
        (png_of(11_000, 11_000), "image/png"),
        (png_of(2**31 - 1, 2**31 - 1), "image/png"),
        (gif_of(65_535, 65_535), "image/gif"),
        (jxl_of(40_000, 40_000), "image/jxl"),
        (b"P6 99999 99999 255\n", "image/x-portable-pixmap"),
    ],
)
def test_a_bomb_is_refused_by_its_head(content: bytes, media_type: str, tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(content)
    with pytest.raises(CannotConvert):
        previewed(opened, path, media_type)
    assert MOST_PIXELS > 11_000 * 11_000


@pytest.mark.parametrize("ending", FORMATS)
def test_what_breaks_off_is_damaged(ending: str, tmp_path: Path, opened: Opened) -> None:
    path = saved(drawn(), tmp_path / f"p.{ending}")
    content = path.read_bytes()
    for size in (0, 3, 20, 100, len(content) // 2):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedMedia):
            previewed(opened, path, FORMATS[ending])


def test_what_is_said_to_be_another_kind_is_not_read_as_its_own(tmp_path: Path, opened: Opened) -> None:
    path = saved(drawn(), tmp_path / "p.png")
    with pytest.raises(DamagedMedia):
        previewed(opened, path, "image/jpeg")
    for media_type in ("application/postscript", "image/svg+xml", "video/mp4", "image/wmf"):
        with pytest.raises(NotMedia):
            previewed(opened, path, media_type)


@pytest.mark.parametrize("size", [(8, 8), (256, 256), (301, 177), (640, 360), (5000, 1), (1, 300), (1200, 1000)])
def test_the_head_of_a_jxl_tells_its_size(size: tuple[int, int]) -> None:
    content = io.BytesIO()
    Image.new("RGB", size).save(content, "JXL", effort=1)
    assert jxl_size(content.getvalue()) == size
    content = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "x" * 500
    Image.new("RGB", size).save(content, "JXL", effort=1, use_container=True, exif=exif.tobytes())
    assert content.getvalue()[4:8] == b"JXL "
    assert jxl_size(content.getvalue()) == size


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n", b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(4000)]
)
def test_a_jxl_without_a_head_has_no_size(content: bytes) -> None:
    assert jxl_size(content) is None

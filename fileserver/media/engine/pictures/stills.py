"""Previews of still pictures, by Pillow: those that browsers do not show, and those that are large.

A preview is upright, in the colours of sRGB, and says nothing of where or by whom the picture was taken.
"""

import io
import os
import struct
import warnings
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any, BinaryIO

import pillow_heif
import pillow_jxl
import pillow_jxl.JpegXLImagePlugin
from PIL import AvifImagePlugin, ExifTags, Image, ImageCms

from fileserver.media.engine.pictures.formats import FORMATS
from fileserver.media.engine.pictures.pictures import WIDEST
from fileserver.media.engine.pictures.rendering import fitted, save_webp
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, DamagedMedia, NotMedia
from fileserver.media.jxl import jxl_size

MOST_PIXELS = 1 << 28
"""That a file may claim: more than any camera has. Only JPEG is decoded so large, at an eighth of its size."""

MOST_DECODED = 100_000_000
"""Pixels that are held at once, at four bytes each."""

_MOST_FILE = 512 << 20
"""Bytes of a file whose decoder takes all of it into memory."""

_MOST_PROFILE = 4 << 20

_READ_WHOLE = frozenset({"AVIF", "HEIF", "JXL", "WEBP"})
_HAVE_SMALLER = frozenset({"HEIF", "JPEG"})
"""Whose decoders can give less than the whole."""

_DAMAGES = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, RuntimeError, TypeError),
    *(AttributeError, struct.error),
)
"""What Pillow's decoders raise when they stumble over bytes."""

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its orientation (EXIF 2.32 s.4.6.5 A). Pillow turns against the clock."""
_SIDEWAYS = frozenset({5, 6, 7, 8})


def prepare() -> None:
    """Load all decoders, as no file is within reach in a worker, and have them start no thread."""
    Image.init()
    pillow_heif.register_heif_opener(decode_threads=1, depth_images=False, aux_images=False)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_jxl.JpegXLImagePlugin.DECODE_THREADS = 0  # of which its library understands: none but this one
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def preview(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """The picture, or the first of several, at most `width` wide and never enlarged, as WebP."""
    width = min(int(terms["width"]), WIDEST)
    image_format = FORMATS.get(source.media_type)
    if image_format is None:
        raise NotMedia(f"a file of the type {source.media_type} is no picture that can be previewed")
    os.lseek(source.descriptor, 0, os.SEEK_SET)
    with open(source.descriptor, "rb", closefd=False) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = _preview(file, source.size, image_format, width)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise CannotConvert(f"the picture has more than {MOST_PIXELS} pixels") from error
        except _DAMAGES as error:
            raise DamagedMedia(f"the picture cannot be read as {source.media_type}") from error
    save_webp(picture, product)


def _preview(file: BinaryIO, size: int, image_format: str, width: int) -> Image.Image:
    if image_format in _READ_WHOLE and size > _MOST_FILE:
        raise CannotConvert(f"the picture's file is larger than {_MOST_FILE} bytes")
    if image_format == "JXL":
        _check_jxl(file)
    with closing(Image.open(file, formats=[image_format])) as picture:
        if image_format not in _HAVE_SMALLER:
            _check(picture.size)  # already the tags of a PNG may lie behind its pixels
        orientation = _orientation(picture)
        wanted = _stored_size(picture.size, orientation, width)
        profile = picture.info.get("icc_profile")
        picture.draft("RGB", (wanted[0] * 2, wanted[1] * 2))
        _check(picture.size)
        small = _continuous(picture).resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3.0)
    turn = _TURNS.get(orientation)
    screen = _in_srgb(small, profile)
    return screen if turn is None else screen.transpose(turn)


def _check_jxl(file: BinaryIO) -> None:
    """Its decoder decodes before it tells how large the picture is."""
    size = jxl_size(file.read(_MOST_FILE))
    if size is None:
        raise DamagedMedia("the size of the picture is missing")
    _check(size)
    file.seek(0)


def _check(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_DECODED:
        raise CannotConvert(f"the picture has more than {MOST_DECODED} pixels")


def _orientation(picture: Image.Image) -> int:
    """EXIF's, where the decoder does not turn the picture by itself: that of JPEG XL does, unless it holds a JPEG."""
    if picture.format == "TIFF" or (picture.format == "JXL" and not getattr(picture, "jpeg", False)):
        return 1
    found = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return found if isinstance(found, int) else 1


def _stored_size(size: tuple[int, int], orientation: int, width: int) -> tuple[int, int]:
    """What a picture is to be scaled to before it is turned."""
    if orientation in _SIDEWAYS:
        down, across = fitted((size[1], size[0]), width=width)
        return across, down
    return fitted(size, width=width)


def _continuous(picture: Image.Image) -> Image.Image:
    """The same picture in a mode that can be scaled: no palette, no key colour, 8 bits deep."""
    if picture.mode in {"P", "PA", "LA"} or "transparency" in picture.info:
        has_alpha = picture.mode != "P" or "transparency" in picture.info
        return picture.convert("RGBA" if has_alpha else "RGB")
    if picture.mode.startswith(("I", "F")):
        return _shallow(picture)
    return picture.convert("L") if picture.mode == "1" else picture


def _shallow(picture: Image.Image) -> Image.Image:
    """Numbers of any size as 8 bits of grey: those of 16 bits by their upper half, others from least to greatest."""
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 65_535.0
    else:
        low, high = (float(edge) for edge in picture.getextrema()[:2] if isinstance(edge, int | float))
    floats = picture.convert("I").convert("F") if picture.mode.startswith("I") else picture
    scale = 255 / (high - low) if high > low else 0.0
    return floats.point(lambda value: value * scale - low * scale).convert("L")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """By the profile that came with the picture; as it is where that does not fit."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    if profile and len(profile) <= _MOST_PROFILE:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(picture, own, _SRGB, outputMode=mode)
            return picture if turned is None else turned
    return picture.convert(mode)

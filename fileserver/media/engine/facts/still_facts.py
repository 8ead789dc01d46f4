"""What a picture file holds, from its head alone: Pillow reads it, and decodes nothing.

Its readers are those that `stills.prepare` has loaded.
"""

import struct
import warnings
from typing import BinaryIO

from PIL import ExifTags, Image

from fileserver.media.engine.pictures.formats import FORMATS
from fileserver.media.engine.source import Source
from fileserver.media.facts import Facts, Format, VideoTrack
from fileserver.media.faults import DamagedMedia
from fileserver.media.jxl import jxl_size

_MOST_JXL = 1 << 16
"""Bytes of a JPEG XL in which its size must be found."""

_DAMAGES = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, RuntimeError, TypeError),
    *(AttributeError, MemoryError, struct.error, Image.DecompressionBombError),
)
"""What Pillow's readers raise when they stumble over bytes, or believe a length that is none."""

_CODECS = {"JPEG": "mjpeg", "HEIF": "hevc", "AVIF": "av1", "JXL": "jpegxl"}
"""FFmpeg's names where they are not Pillow's in lower case."""

_CLOCKWISE = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
"""By EXIF's orientation (CIPA DC-008 s.4.6.4), mirrored or not."""


def still_facts(source: Source) -> Facts:
    """The facts of a picture of one of the kinds in `FORMATS`. Raises DamagedMedia."""
    reader = FORMATS[source.media_type]
    with warnings.catch_warnings(), open(source.descriptor, "rb", closefd=False) as file:
        warnings.simplefilter("ignore")  # of size, which only counts when it is decoded, and of broken EXIF
        file.seek(0)
        try:
            width, height, rotation = _jxl(file) if reader == "JXL" else _size(file, reader)
        except _DAMAGES as error:
            raise DamagedMedia(f"the file cannot be read as {source.media_type}") from error
    return _facts(reader, width, height, rotation)


def _size(file: BinaryIO, reader: str) -> tuple[int, int, int]:
    """Width and height as they are stored, and the turn."""
    with Image.open(file, formats=(reader,)) as picture:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
        rotation = _CLOCKWISE.get(orientation, 0) if isinstance(orientation, int) else 0
        return picture.width, picture.height, rotation


def _jxl(file: BinaryIO) -> tuple[int, int, int]:
    size = jxl_size(file.read(_MOST_JXL))
    if size is None:
        raise ValueError("there is no size")
    return *size, 0


def _facts(reader: str, width: int, height: int, rotation: int) -> Facts:
    track = VideoTrack(
        id="v0",
        index=0,
        codec_name=_CODECS.get(reader, reader.lower()),
        codecs=None,
        profile=None,
        time_base=None,
        duration=None,
        bit_rate=None,
        language=None,
        title=None,
        disposition={"default": False},
        width=width,
        height=height,
        rotation=rotation,
        sample_aspect_ratio="1:1",
        frame_rate=None,
        pix_fmt=None,
        is_hdr=False,
        is_interlaced=False,
        is_cover=False,
    )
    name = Format(format_name=reader.lower(), duration=None, start_time=0.0, bit_rate=None, tags={})
    return Facts(format=name, streams=(track,), chapters=())

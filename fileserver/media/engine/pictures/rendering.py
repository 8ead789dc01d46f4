"""A decoded frame as people see it: upright, in the shape it is shown in, in the colours of a screen."""

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av.filter
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, ColorTrc, Interpolation
from PIL import Image

from fileserver.media.engine.pictures.tone_mapping import in_sdr

_TALLEST = 4
"""How many times as high as wide a picture may come out: it bounds what a shape of one pixel to a million makes."""

_QUALITY, _METHOD = 78, 2
"""Of libwebp. Method 4, its own default, takes twice as long (73 ms for 720p) and saves 3 % of the size."""

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED
_HD_HEIGHT = 720
"""From which on pictures that say nothing have the colours of BT.709, in browsers too; below it is BT.601."""

_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_WIDEST_PIXEL = 16
_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True, slots=True)
class Upright:
    """What turns a stored picture upright: at most a quarter turn, after which it may be mirrored."""

    is_turned: bool
    steps: tuple[Image.Transpose, ...]


_TURNS = {
    (1, 0, 0, 1): Upright(is_turned=False, steps=()),
    (-1, 0, 0, 1): Upright(is_turned=False, steps=(Image.Transpose.FLIP_LEFT_RIGHT,)),
    (1, 0, 0, -1): Upright(is_turned=False, steps=(Image.Transpose.FLIP_TOP_BOTTOM,)),
    (-1, 0, 0, -1): Upright(is_turned=False, steps=(Image.Transpose.ROTATE_180,)),
    (0, 1, -1, 0): Upright(is_turned=True, steps=(Image.Transpose.ROTATE_270,)),
    (0, -1, 1, 0): Upright(is_turned=True, steps=(Image.Transpose.ROTATE_90,)),
    (0, 1, 1, 0): Upright(is_turned=True, steps=(Image.Transpose.TRANSPOSE,)),
    (0, -1, -1, 0): Upright(is_turned=True, steps=(Image.Transpose.TRANSVERSE,)),
}
"""By the signs of a, b, c and d of the display matrix (ISO 14496-12 s.6.2.2). Pillow turns against the clock."""


def picture_of(frame: VideoFrame, sample_aspect_ratio: Fraction | None, *, width: int) -> Image.Image:
    """The frame as it is shown, no wider than `width` and no larger than it is."""
    upright = _upright(frame)
    shape = _shape(sample_aspect_ratio)
    shown = _swapped((max(1.0, frame.width * shape), frame.height), upright)
    return _drawn(frame, upright, fitted(shown, width=width))


def fitted(size: tuple[float, float], *, width: int) -> tuple[int, int]:
    """The size in which a picture of `size` comes out: no wider than `width`, and never enlarged.

    >>> fitted((1920, 1080), width=320), fitted((1080, 1920), width=320), fitted((16, 16), width=320)
    ((320, 180), (320, 569), (16, 16))
    >>> fitted((10, 60_000), width=320)
    (1, 1280)
    """
    scale = min(1.0, width / size[0], _TALLEST * width / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def tile_of(frame: VideoFrame, size: tuple[int, int]) -> Image.Image:
    """The frame, upright, in exactly this size."""
    return _drawn(frame, _upright(frame), size)


def save_webp(picture: Image.Image, product: BinaryIO) -> None:
    """Write it as WebP without a word about where it came from."""
    picture.info.clear()  # Pillow would take over a profile and XMP
    picture.save(product, "WEBP", quality=_QUALITY, method=_METHOD)


def spread_of(frame: VideoFrame) -> float:
    """How far the brightness of its parts lies apart: near 0 for one that is black, white or of one colour."""
    small = frame.reformat(width=64, height=36, format="gray", interpolation=Interpolation.AREA, threads=1)
    return float(small.to_ndarray().std())


def _upright(frame: VideoFrame) -> Upright:
    a, b, _, c, d, *_ = _display_matrix(frame)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        signs = (1 if a >= 0 else -1, 0, 0, 1 if d >= 0 else -1)
    else:
        signs = (0, 1 if b >= 0 else -1, 1 if c >= 0 else -1, 0)
    return _TURNS[signs]


def _display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # beside it lies something that PyAV has no name for
        turned = math.radians(-frame.rotation)
        a, b = round(math.cos(turned)), round(math.sin(turned))
        return a, b, 0, -b, a
    if isinstance(matrix, SideData) and matrix.buffer_size >= _MATRIX.size:
        return _MATRIX.unpack_from(bytes(matrix))
    return 1, 0, 0, 0, 1


def _shape(ratio: Fraction | None) -> float:
    """How many times as wide as high a stored pixel is shown."""
    if not ratio or not 1 / _WIDEST_PIXEL <= ratio <= _WIDEST_PIXEL:
        return 1.0
    return float(ratio)


def _swapped(size: tuple[float, float], upright: Upright) -> tuple[float, float]:
    return (size[1], size[0]) if upright.is_turned else size


def _drawn(frame: VideoFrame, upright: Upright, size: tuple[int, int]) -> Image.Image:
    width, height = map(math.floor, _swapped(size, upright))
    frame = _one_field(frame) if frame.interlaced_frame and height <= frame.height // 2 else frame
    picture = _scaled(frame, width, height)
    for step in upright.steps:
        picture = picture.transpose(step)
    return picture


def _one_field(frame: VideoFrame) -> VideoFrame:
    """Every other line, all of one moment: halves of two would show what moves twice."""
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    field = graph.add("field", "top")
    sink = graph.add("buffersink")
    source.link_to(field)
    field.link_to(sink)
    graph.configure()
    source.push(frame)
    half = sink.pull()
    return half if isinstance(half, VideoFrame) else frame


def _scaled(frame: VideoFrame, width: int, height: int) -> Image.Image:
    is_hdr = frame.color_trc in _HDR
    is_brighter = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    colours = None
    if is_brighter:
        colours = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
    drawn = frame.reformat(
        width=width,
        height=height,
        format="rgb48le" if is_hdr else "rgb24",
        src_colorspace=colours,
        interpolation=Interpolation.AREA if width * 2 <= frame.width else Interpolation.BICUBIC,
        threads=1,
    )
    pixels = drawn.to_ndarray()
    return Image.fromarray(in_sdr(pixels, frame.color_trc) if is_hdr else pixels)

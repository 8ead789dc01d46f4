"""Decoded frames as H.264 for players has them: one size, 4:2:0, 8 bits, limited range, no lines of two moments.

The matrix of the colours stays what it is; only RGB gets one, and the light of HDR is brought down to BT.709.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import av.error
import av.filter
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from fileserver.media.engine.conversion.pictures_between import Shown
from fileserver.media.engine.pictures.tone_mapping import in_sdr

HDR: Final = frozenset({int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)})

_HD_HEIGHT = 720
"""From which on pictures that say nothing have the colours of BT.709, in browsers too; below it is BT.601."""

_RGB, _UNSPECIFIED, _BT709, _BT601 = 0, 2, 1, 6  # ITU-T H.273
_FULL = 2  # AVCOL_RANGE_JPEG

_LEVEL = 6
"""Its square is how many steps of each channel the table of colours has: 46,656 entries, which take 0.1 s to make."""

_DEEP_RGB = "rgb48le"  # as planes, the filter mixes up the channels (FFmpeg 8.1)
_TICK = Fraction(1, 1000)
_THREADS: Final = 2


def colour_of(context: VideoCodecContext) -> tuple[int, int, int]:
    """Primaries, transfer and matrix (H.273) of what becomes of a film's frames."""
    if context.color_trc in HDR:
        return _BT709, _BT709, _BT709
    usual = _BT709 if context.height >= _HD_HEIGHT else _BT601
    told = (context.color_primaries, context.color_trc, context.colorspace)
    primaries, transfer, matrix = (usual if number == _UNSPECIFIED else int(number) for number in told)
    return primaries, transfer, usual if matrix == _RGB else matrix


@dataclass(slots=True)
class Screen:
    """Makes frames of one size."""

    width: int
    height: int
    _scaler: VideoReformatter = field(default_factory=VideoReformatter)
    _tone_maps: "dict[int, _ToneMap]" = field(default_factory=dict)

    def frame(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it is encoded."""
        if frame.color_trc not in HDR or frame.format.is_rgb:
            is_rgb = frame.format.is_rgb or frame.format.name == "pal8"
            usual = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
            return self._scaled(frame, "yuv420p", usual if is_rgb else None)
        transfer = int(frame.color_trc)
        if transfer not in self._tone_maps:
            self._tone_maps[transfer] = _ToneMap(self.width, self.height, transfer)
        mapped = self._tone_maps[transfer].frame(self._scaled(frame, _DEEP_RGB, None))
        return self._scaled(mapped, "yuv420p", Colorspace.ITU709)

    def _scaled(self, frame: VideoFrame, pixels: str, matrix: Colorspace | None) -> VideoFrame:
        is_full = frame.color_range == _FULL or frame.format.name.startswith("yuvj")
        return self._scaler.reformat(
            frame,
            width=self.width,
            height=self.height,
            format=pixels,
            dst_colorspace=matrix,
            interpolation=Interpolation.AREA if self.width * 2 <= frame.width else Interpolation.BICUBIC,
            src_color_range=ColorRange.JPEG if is_full or frame.format.is_rgb else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG if pixels == "yuv420p" else ColorRange.JPEG,
            threads=1,
        )


def deinterlaced(pictures: Iterable[Shown]) -> Iterator[Shown]:
    """The pictures, of those with lines of two moments the first, and the other lines made anew (yadif)."""
    filtered: _Deinterlacer | None = None
    for shown in pictures:
        if filtered is None and shown.frame.interlaced_frame:
            filtered = _Deinterlacer(shown.frame)
        if filtered is None:
            yield shown
        elif filtered.takes(shown.frame):
            yield from filtered.put(shown)
        else:  # a film that changes its size
            yield from filtered.rest()
            filtered = _Deinterlacer(shown.frame)
            yield from filtered.put(shown)
    if filtered is not None:
        yield from filtered.rest()


class _Deinterlacer:
    """FFmpeg's filter, which gives a frame for each that it gets, one later."""

    def __init__(self, frame: VideoFrame) -> None:
        self._shape = (frame.width, frame.height, frame.format.name)
        self._times: deque[int] = deque()
        self._count = 0
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TICK)
        yadif = self._graph.add("yadif", "mode=send_frame:deint=interlaced")
        sink = self._graph.add("buffersink")
        source.link_to(yadif)
        yadif.link_to(sink)
        self._graph.configure()

    def takes(self, frame: VideoFrame) -> bool:
        """Whether the frame is of its shape."""
        return self._shape == (frame.width, frame.height, frame.format.name)

    def put(self, shown: Shown) -> Iterator[Shown]:
        """What comes out when this one goes in."""
        self._times.append(shown.time)
        self._graph.vpush(encodable(shown.frame, self._count, _TICK))
        self._count += 1
        yield from self._out()

    def rest(self) -> Iterator[Shown]:
        """What was still in it."""
        self._graph.vpush(None)
        yield from self._out()

    def _out(self) -> Iterator[Shown]:
        while self._times:
            try:
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield Shown(self._times.popleft(), frame)


def encodable(frame: VideoFrame, number: int, time_base: Fraction) -> VideoFrame:
    """The frame as number so many of what is encoded, and of a kind that the encoder chooses."""
    frame.pts, frame.time_base, frame.pict_type = number, time_base, PictureType.NONE
    return frame


class _ToneMap:
    """FFmpeg's filter that looks colours up in a table, of what `in_sdr` makes of some and with what lies between."""

    def __init__(self, width: int, height: int, transfer: int) -> None:
        graph = av.filter.Graph()
        graph.threads = _THREADS
        deep = VideoFormat(_DEEP_RGB)
        self._source = graph.add_buffer(width=width, height=height, format=deep, time_base=_TICK)
        side = _LEVEL**3
        table = graph.add_buffer(width=side, height=side, format=deep, time_base=_TICK)
        looked_up = graph.add("haldclut", "clut=first")
        self._sink = graph.add("buffersink")
        self._source.link_to(looked_up, 0, 0)
        table.link_to(looked_up, 0, 1)
        looked_up.link_to(self._sink)
        graph.configure()
        self._graph = graph
        self._count = 0
        table.push(encodable(_table(transfer), 0, _TICK))
        table.push(None)

    def frame(self, frame: VideoFrame) -> VideoFrame:
        """The frame with the light of a screen."""
        self._source.push(encodable(frame, self._count, _TICK))
        self._count += 1
        found = self._sink.pull()
        return found if isinstance(found, VideoFrame) else frame


def _table(transfer: int) -> VideoFrame:
    """Every colour of a few steps a channel, red being the fastest, as `haldclut` has it."""
    steps = _LEVEL**2
    axis = np.rint(np.arange(steps) * 65_535 / (steps - 1)).astype(np.uint16)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    mapped = in_sdr(np.stack([red, green, blue], axis=-1), transfer).astype(np.uint16) * np.uint16(257)
    return VideoFrame.from_ndarray(mapped.reshape(_LEVEL**3, _LEVEL**3, 3), format=_DEEP_RGB)

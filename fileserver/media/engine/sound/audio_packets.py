"""The packets of one track of sound, by their places on a grid: what segments are copied or transcoded from.

A place is counted in samples of the track, from the file's start. Clocks of containers are coarse (Matroska's counts
milliseconds), so a place is the nearest one at which a frame can begin: counted from the track's own start, never
from the packet before, which is what keeps a gap in the source a gap and any segment the same whoever asks first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Final

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from fileserver.media.engine.one_track import demuxed
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert
from fileserver.media.index import TICKS

MOST_BYTES: Final = 256 << 20
"""Of packets for one segment."""

MOST_PACKETS: Final = 500_000
"""For one segment: ten minutes of the shortest frames there are, those of TrueHD."""

_SEEK_MARGINS_S: Final = (Fraction(1, 4), Fraction(3), Fraction(15), Fraction(60))
"""How far before the place that is wanted to look, in turn. Sound may lie before the picture that it belongs to, and
most files know the places of their pictures alone."""

_LATEST_OTHER_S: Final = 20
"""When other tracks are this far past the end, this one has nothing before it: no interleaving is so coarse."""

_WAV_PROBE_SIZE: Final = "65536"
"""Bytes in which DTS is looked for in what calls itself PCM: with FFmpeg's 5 MB that takes 100 ms."""

DAMAGE: Final = (av.error.InvalidDataError, av.error.PatchWelcomeError)
"""What decoders say of a packet that is not as it should be."""

_SEEKS_BY_PICTURES: Final = frozenset({"matroska,webm", "flv"})


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the frames of a track may begin: at `first` and every `step` samples from there, at `rate` a second.

    `origin` is the file's start, `first` that of the track; both in the container's time, `origin` in ticks.
    """

    rate: int
    step: int
    first: int
    origin: int

    def place(self, time: Fraction) -> int:
        """The place, from the file's start, of a frame that the container has at `time` seconds.

        >>> grid = Grid(rate=48000, step=1024, first=0, origin=0)
        >>> grid.place(Fraction(21, 1000)), grid.place(Fraction(43, 1000))
        (1024, 2048)
        """
        return self.snapped(self.exact(time))

    def exact(self, time: Fraction) -> Fraction:
        """Where `time` is, from the file's start, in samples and parts of them."""
        return time * self.rate - self.start

    def snapped(self, exact: Fraction) -> int:
        """The nearest place at which a frame may begin."""
        begin = self.first - self.start
        return begin + round((exact - begin) / self.step) * self.step

    @property
    def start(self) -> int:
        """The file's start in the track's samples of the container's time."""
        return round(Fraction(self.origin * self.rate, TICKS))

    def ticks(self, place: int) -> int:
        """A place in ticks from the file's start."""
        return round(Fraction(place * TICKS, self.rate))

    def seconds(self, ticks: int) -> Fraction:
        """Ticks from the file's start in seconds of the container's time."""
        return Fraction(ticks + self.origin, TICKS)


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet and its place."""

    place: int
    packet: "Packet[Stream]"


def opened(source: Source) -> InputContainer:
    """A file to read packets of: a context manager. Raises NotMedia, DamagedMedia.

    Without `skip_frame` FFmpeg decodes a picture of a film to find out more of it, which takes 20 ms.
    """
    return source.open(skip_frame="all", **({"probesize": _WAV_PROBE_SIZE} if source.media_type == "audio/wav" else {}))


def read_span(
    container: InputContainer, stream: Stream, grid: Grid, start: int, end: int
) -> tuple[list[Placed], int | None]:
    """The packets that begin in [start, end), in ticks from the file's start, and the place of the one after them.

    That is None at the end of the track. What begins before the file's start belongs to its first tick. Raises
    CannotConvert where they are too many.
    """
    placed = placed_from(container, stream, grid, grid.seconds(start), grid.seconds(end))
    return within(placed, grid, start, end)


def within(placed: Iterable[Placed], grid: Grid, start: int, end: int) -> tuple[list[Placed], int | None]:
    """What `read_span` has, of packets in order that begin early enough."""
    found: list[Placed] = []
    size = 0
    for each in placed:
        ticks = max(0, grid.ticks(each.place))
        if ticks >= end:
            return found, each.place
        if ticks < start:
            continue
        found.append(each)
        size += each.packet.size
        if size > MOST_BYTES or len(found) > MOST_PACKETS:
            raise CannotConvert("there is more sound between two cuts than a segment may hold")
    return found, None


def packets_from(
    container: InputContainer, stream: Stream, start: Fraction, end: Fraction
) -> "Iterator[Packet[Stream]]":
    """The packets of a stream from one that begins at `start` or before to well past `end`: the container's seconds.

    The container is one that was only just opened: no seek leads back to what lies before the first picture.
    """
    begin = Fraction(container.start_time or 0, av.time_base)
    if start - _SEEK_MARGINS_S[0] <= begin:
        return _demuxed(container, stream, end)
    for margin in _SEEK_MARGINS_S:
        _seek(container, stream, max(begin, start - margin))
        packets = _demuxed(container, stream, end)
        head = _until_timed(packets)
        if head and _time_of(head[-1], stream) <= start:
            break
    return chain(head, packets)


def placed_from(
    container: InputContainer, stream: Stream, grid: Grid, start: Fraction, end: Fraction
) -> Iterator[Placed]:
    """The same, each with its place, never before the last one's. One without a time follows the one before."""
    last: int | None = None
    for packet in packets_from(container, stream, start, end):
        if packet.pts is not None:
            place = grid.place(_time_of(packet, stream))
            last = place if last is None else max(last, place)
        elif last is not None:
            last += grid.step
        else:
            continue
        yield Placed(last, packet)


def _demuxed(container: InputContainer, stream: Stream, end: Fraction) -> "Iterator[Packet[Stream]]":
    for packet in demuxed(container, stream, *_others(container, stream)):
        if packet.stream_index == stream.index:
            if packet.size:
                yield packet
        elif packet.dts is not None and packet.dts * packet.time_base > end + _LATEST_OTHER_S:
            return


def _seek(container: InputContainer, stream: Stream, start: Fraction) -> None:
    """Go to `start` or before, by what the container's index knows; to the beginning where it knows nothing."""
    by_pictures = container.format.name in _SEEKS_BY_PICTURES and container.streams.video
    try:
        if by_pictures or not stream.time_base:
            container.seek(int(start * av.time_base))
        else:
            container.seek(int(start / stream.time_base), stream=stream)
    except av.error.FFmpegError:  # there is nothing before that place
        container.seek(container.start_time or 0, any_frame=True)


def _others(container: InputContainer, stream: Stream) -> list[Stream]:
    """Streams whose packets tell how far the file was read; none where an index says what lies where."""
    if container.format.name.startswith("mov"):
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        return []
    return [other for other in container.streams if other.index != stream.index and other.type in {"video", "audio"}]


def _until_timed(packets: "Iterator[Packet[Stream]]") -> "list[Packet[Stream]]":
    """The packets up to the first that has a time, which after a seek need not be the very first."""
    head = []
    for packet in packets:
        head.append(packet)
        if packet.pts is not None or len(head) == MOST_PACKETS:
            break
    return head if head and head[-1].pts is not None else []


def _time_of(packet: "Packet[Stream]", stream: Stream) -> Fraction:
    return (packet.pts or 0) * (packet.time_base or stream.time_base or Fraction(1))

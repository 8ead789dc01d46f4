"""One track of a file, as the only one that is read: what is asked of it and of its container."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.stream import VideoStream

from fileserver.media.faults import CannotConvert

Track = TypeVar("Track", VideoStream, AudioStream)

_TICKS = Fraction(1, 1_000_000)  # AV_TIME_BASE


def read_only(container: InputContainer, track: VideoStream | AudioStream) -> None:
    """Have FFmpeg pass over what belongs to the other tracks."""
    for stream in container.streams:
        if stream.index != track.index:
            stream.discard = Discard.all


def require_decoder(track: VideoStream | AudioStream) -> None:
    """Raises CannotConvert when FFmpeg has none for it; PyAV's types do not tell that there may be no context then."""
    if not track.codec_context:
        raise CannotConvert("it is coded in a way that cannot be decoded here")


def packets_of(container: InputContainer, track: Track) -> "Iterator[Packet[Track]]":
    """All packets from where the container stands; the last is empty and has the decoder give what it kept back."""
    for packet in demuxed(container, track):
        yield packet
        if not packet.size and packet.pts is None:
            return


def demuxed(container: InputContainer, *tracks: Stream) -> "Iterator[Packet[Any]]":
    """What `demux` gives of these tracks, or of all.

    PyAV's own loop stumbles over a track that begins while it reads, as in FLV and TS; the next knows it.
    """
    while True:
        try:
            yield from container.demux(*tracks)
        except IndexError:
            continue
        return


def rewind_to(container: InputContainer, track: VideoStream | AudioStream, time: float) -> None:
    """Stand at a packet of the track not after `time`, in seconds from the file's start, if there is any way to."""
    ticks = int((max(0.0, time) + start_of(container)) / clock_of(track))
    try:
        container.seek(ticks, stream=track)
    except av.error.FFmpegError:  # nothing to seek by: what comes next has to do
        if track.codec_context.is_open:
            track.codec_context.flush_buffers()


def duration_of(container: InputContainer, track: VideoStream | AudioStream) -> float | None:
    """Seconds, as the container has it or FFmpeg guesses from its bit rate; None when nobody knows."""
    if container.duration and container.duration > 0:
        return float(container.duration * _TICKS)
    if track.duration and track.duration > 0 and track.time_base:
        return float(track.duration * track.time_base)
    return None


def start_of(container: InputContainer) -> float:
    """The time in seconds that the file's own clock shows at its start."""
    return float((container.start_time or 0) * _TICKS)


def clock_of(track: VideoStream | AudioStream) -> Fraction:
    """How long, in seconds, one tick of a track is."""
    return track.time_base or _TICKS

"""The index of a file that has no film: it may be cut between any two frames of its sound."""

from collections import deque
from fractions import Fraction
from math import ceil
from typing import Final

import av
from av import AudioStream
from av.container import InputContainer

from fileserver.media.engine.one_track import demuxed
from fileserver.media.engine.sound.audio import DECODER_LEAD_S
from fileserver.media.engine.sound.audio_packets import Grid, opened
from fileserver.media.engine.sound.audio_tracks import Facts, audio_tracks, track_of
from fileserver.media.engine.sound.elementary import first_packet, frames_of, is_elementary
from fileserver.media.engine.source import Source
from fileserver.media.faults import DamagedMedia, NoSuchTrack
from fileserver.media.index import MOST_CUTS, TARGET, TICKS, Index

_SHORTEST_TAIL: Final = TICKS
"""A last segment shorter than that is part of the one before."""

_OPUS_FRAME: Final = 960
"""The usual one: they may be of other lengths, and cuts are at multiples of it all the same."""

_LEAD_S: Final = DECODER_LEAD_S + Fraction(1, 4)
"""How far before a cut a worker begins to read: for the decoder, and the encoder's first frames."""


def audio_index(source: Source) -> Index:
    """The index of sound alone. Raises NoSuchTrack where there is none, DamagedMedia."""
    with opened(source) as container:
        if not container.streams.audio:
            raise NoSuchTrack("the file has no sound")
        if is_elementary(source):
            return _elementary_index(source, track_of(container.streams.audio[0], first_packet(source)))
        return _contained_index(container)


def _contained_index(container: InputContainer) -> Index:
    tracks = audio_tracks(container)
    if not tracks:
        raise DamagedMedia("its sound is coded in no known way")
    origin = min(_ticks(track["grid"]["first"], track["grid"]["rate"]) for track in tracks)
    streams = {f"a{stream.index}": stream for stream in container.streams.audio}
    for track in tracks:
        track |= {"origin": origin, "end": max(1, _end_of(container, streams[track["id"]]) - origin)}
    end = max(track["end"] for track in tracks)
    main = next((track for track in tracks if track["is_default"]), tracks[0])
    return Index(_cuts(main, end), end, tuple(tracks))


def _cuts(track: Facts, end: int) -> tuple[int, ...]:
    """Where the frames of a track come that are the first at least a segment's length after the cut before."""
    grid = Grid(origin=track["origin"], **track["grid"])
    is_copied = track["how"] == "copy"
    rate = track["sample_rate"]
    frame = _OPUS_FRAME if is_copied and track["codec_name"] == "opus" else track["frame_size"]
    first = grid.first - grid.start if is_copied else 0
    cuts = [0]
    while len(cuts) < MOST_CUTS:
        frames = ceil(Fraction(len(cuts) * TARGET * rate, TICKS * frame))
        cut = _ticks(first + frames * frame, rate)
        if cut > end - _SHORTEST_TAIL:
            break
        cuts.append(cut)
    return tuple(cuts)


def _ticks(samples: int, rate: int) -> int:
    return round(Fraction(samples * TICKS, rate))


def _end_of(container: InputContainer, stream: AudioStream) -> int:
    """Where a track ends, in ticks of the container's time: as it is told, or else by reading all of it."""
    if stream.duration and stream.time_base:
        return ceil(((stream.start_time or 0) + stream.duration) * stream.time_base * TICKS)
    if container.duration and container.duration > 0:
        return ceil(Fraction((container.start_time or 0) + container.duration, av.time_base) * TICKS)
    last = Fraction(0)
    for packet in demuxed(container, stream):
        if packet.pts is not None and packet.time_base:
            last = max(last, (packet.pts + (packet.duration or 0)) * packet.time_base)
    return ceil(last * TICKS)


def _elementary_index(source: Source, track: Facts) -> Index:
    """All frames are walked over once, and with each cut is kept where a worker begins to read for it."""
    grid = Grid(origin=0, **track["grid"] | {"first": 0})
    lead = ceil(_LEAD_S * grid.rate)
    cuts: list[int] = []
    seeks: list[list[int]] = []
    recent: deque[tuple[int, int]] = deque()
    due = stop = 0
    for found in frames_of(source):
        if not found.samples:
            continue
        stop = found.place + found.samples
        recent.append((found.position, found.place))
        while len(recent) > 1 and recent[1][1] <= due - lead:
            recent.popleft()
        if found.place >= due and len(cuts) < MOST_CUTS:
            cuts.append(grid.ticks(found.place))
            seeks.append(list(recent[0]))
            due = ceil(Fraction(TARGET * len(cuts) * grid.rate, TICKS))
    end = grid.ticks(stop)
    if not end:
        raise DamagedMedia("the file has no sound")
    while len(cuts) > 1 and cuts[-1] > end - _SHORTEST_TAIL:
        cuts.pop(), seeks.pop()
    described = track | {"grid": track["grid"] | {"first": 0}, "origin": 0, "end": end, "seek": seeks}
    return Index(tuple(cuts), end, (described,))

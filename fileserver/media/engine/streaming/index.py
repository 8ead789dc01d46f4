"""The derivative `index`: where a file may be cut for HLS, and what its tracks are."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any, BinaryIO, Final

import av
from av import VideoStream
from av.container import InputContainer
from av.stream import Disposition

from fileserver.media.engine.facts.track_facts import Printed, track_facts
from fileserver.media.engine.one_track import duration_of, start_of
from fileserver.media.engine.sound.audio_index import audio_index
from fileserver.media.engine.sound.audio_tracks import audio_tracks
from fileserver.media.engine.sound.elementary import is_elementary
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.video import film_of, grid_track, video_track
from fileserver.media.facts import SubtitleTrack
from fileserver.media.faults import DamagedMedia
from fileserver.media.index import TICKS, BrokenIndex, Index, parse_index, with_tail, written

_LONGEST_LEAD: Final = 60 * TICKS
"""Sound that claims to begin so long before the film has a broken clock and does not move the file's start."""


def index(source: Source, _terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Write the index of a film, or of sound alone. Raises NotMedia, NoSuchTrack, DamagedMedia, CannotConvert."""
    content = written(_index_of(source))
    try:
        parse_index(content)
    except BrokenIndex as error:
        raise DamagedMedia("its times or tracks are beyond all bounds") from error
    product.write(content)


def _index_of(source: Source) -> Index:
    if is_elementary(source):
        return audio_index(source)
    with source.open(**_options_for(source)) as fresh:  # where a track begins is seen only where nothing was read yet
        sounds = [dict(track) for track in audio_tracks(fresh)]
    with source.open(**_options_for(source)) as container:
        stream = _film_in(container)
        if stream is not None:
            return _film_index(source, container, stream, sounds)
    return audio_index(source)


def _options_for(source: Source) -> Mapping[str, str]:
    """FFmpeg decodes a picture to find out more: nine tenths of the time, wanted of AVI alone, which has no times."""
    return {} if source.media_type == "video/x-msvideo" else {"skip_frame": "all"}


def _film_in(container: InputContainer) -> VideoStream | None:
    """The film to show: FFmpeg's choice among those that are no cover art."""
    films = [
        stream
        for stream in container.streams.video
        if Disposition.attached_pic not in stream.disposition and stream.codec_context
    ]
    best = container.streams.best("video")
    return next((film for film in films if best is not None and film.index == best.index), next(iter(films), None))


def _film_index(
    source: Source, container: InputContainer, stream: VideoStream, sounds: Sequence[Mapping[str, Any]]
) -> Index:
    film = film_of(container, stream)
    begins = _begins(container)
    begun = film.begun
    exact = min([begun, *(each for each in begins if each > begun - _LONGEST_LEAD)])
    origin = floor(exact)
    told = round((start_of(container) + (duration_of(container, stream) or 0)) * TICKS) - origin
    if film.entry is None:
        track, cuts = grid_track(film, exact, told, source.size)
    else:
        track, cuts = video_track(source, container, film, exact)
    end = int(track["end"])
    ends = [_end_of(container, sound, origin, end) for sound in sounds]
    tracks = [
        track,
        *({**sound, "origin": origin, "end": max(1, last)} for sound, last in zip(sounds, ends, strict=True)),
    ]
    made = with_tail(Index((0, *cuts[1:]), end, ()), max([end, *ends]))
    return Index(made.cuts, made.end, (*tracks, *_subtitles(container, origin, made.end)))


def _begins(container: InputContainer) -> Iterator[Fraction]:
    """When each track of sound begins, in ticks of the container's time."""
    for stream in container.streams.audio:
        if stream.start_time is not None and stream.time_base:
            yield stream.start_time * stream.time_base * TICKS


def _end_of(container: InputContainer, sound: Mapping[str, Any], origin: int, film_end: int) -> int:
    """Where a track of sound ends, in ticks from the file's start; with the film where nothing tells.

    A container whose length is told short, as what was written into a pipe, is as long as its film at least.
    """
    stream = container.streams[int(sound["id"][1:])]
    if stream.duration and stream.duration > 0 and stream.time_base:
        return round(((stream.start_time or 0) + stream.duration) * stream.time_base * TICKS) - origin
    if container.duration and container.duration > 0:
        told = round(Fraction((container.start_time or 0) + container.duration, av.time_base) * TICKS) - origin
        return max(told, film_end)
    return film_end


def _subtitles(container: InputContainer, origin: int, end: int) -> Iterator[Mapping[str, Any]]:
    """The tracks of text, which may begin and end anywhere."""
    for stream in container.streams.subtitles:
        facts = track_facts(stream, Printed())
        if isinstance(facts, SubtitleTrack) and facts.is_text:
            yield {
                "id": facts.id,
                "kind": "subtitle",
                "codec_name": facts.codec_name,
                "language": facts.language,
                "title": facts.title,
                "is_default": bool(facts.disposition.get("default")),
                "is_forced": bool(facts.disposition.get("forced")),
                "origin": origin,
                "end": end,
            }

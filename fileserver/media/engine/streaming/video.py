"""A film's track as HLS has it: what the index says of it, its init segment, and its segments, copied packet by packet.

Payloads stay as they are but for two things that MP4 has otherwise: NAL units have their length before them instead of
a start code, and AV1 has no temporal delimiters.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile, islice, pairwise
from math import floor
from typing import Any, BinaryIO, Final

from av import VideoStream
from av.container import InputContainer

from fileserver.media.engine.facts.describe import printed_of
from fileserver.media.engine.facts.track_facts import Printed, track_facts
from fileserver.media.engine.one_track import clock_of, read_only
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.keyframes import Keyframes, is_by_bytes, keyframes_of
from fileserver.media.engine.streaming.video_reading import FilmPacket, Reading, demuxed, key_of, read_between, times_of
from fileserver.media.facts import VideoTrack
from fileserver.media.faults import DamagedMedia, NoSuchTrack
from fileserver.media.fmp4.parameter_sets import has_idr, is_byte_stream, length_prefixed
from fileserver.media.fmp4.schedule import MOST_REORDERED, delay_of, scheduled, shown_times
from fileserver.media.fmp4.segments import Sample, segment_head
from fileserver.media.fmp4.video_entries import COPIED, Picture, UnknownEntry, video_entry
from fileserver.media.index import MOST_CUTS, TARGET, TICKS

_OPTIONS: Final = {"probesize": "20000"}
"""For a segment nothing has to be found out about the film that its index does not know."""

_TS_OPTIONS: Final = {"probesize": "1000000"}
"""The tracks of a transport stream are those that were seen by then, and must be those that the index saw."""

UNDECODED: Final = {"codec_whitelist": "none"}
"""FFmpeg decodes a picture to find out more of a film: 20 ms where nothing of that is wanted. AVI has no times but
those that a decoder knows of."""

_HEAD_PACKETS: Final = 48 + MOST_REORDERED
"""Read to learn when a film begins, and how far its pictures are out of order: two seconds."""

_MOST_HEAD_PACKETS: Final = 5_000
_FINEST = 10_000_000
"""Ticks a second: with more, 32 bits would not hold the time from one picture to the next."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a film before it is searched for cuts. `start` is its first picture's time and `delay` that of
    decoding, in stream ticks."""

    stream: VideoStream
    facts: VideoTrack
    codec_name: str
    clock: str
    start: int
    delay: int
    first_key: int
    payload: str
    entry: bytes | None
    timescale: int

    @property
    def begun(self) -> Fraction:
        """When its first picture is shown, in ticks of 1/90000 of the container's time."""
        return self.start * clock_of(self.stream) * TICKS


def film_of(container: InputContainer, stream: VideoStream) -> Film:
    """What a file tells of its film at its beginning, where the container has to be. Raises DamagedMedia."""
    facts = track_facts(stream, printed_of(container).get(stream.index, Printed()))
    packets = dropwhile(lambda packet: not packet.is_keyframe, islice(demuxed(container, stream), _MOST_HEAD_PACKETS))
    head = list(islice(packets, _HEAD_PACKETS))
    if not isinstance(facts, VideoTrack) or not head or not stream.time_base:
        raise DamagedMedia("the film has no picture to begin with")
    clock = "dts" if container.format.name == "avi" else "pts"
    times = times_of(head, stream, clock)
    shown = [time for time, packet in zip(times, head, strict=True) if not packet.is_discard]
    name = stream.codec_context.codec.canonical_name
    return Film(
        stream=stream,
        facts=facts,
        codec_name=name,
        clock=clock,
        start=min(shown or times),
        delay=delay_of(times, round(1 / stream.time_base)),
        first_key=key_of(head[0], clock) or 0,
        payload=_payload_of(name, bytes(head[0])),
        entry=_entry_of(name, stream, facts),
        timescale=_timescale(stream.time_base),
    )


def _payload_of(name: str, packet: bytes) -> str:
    if name in {"h264", "hevc"} and is_byte_stream(packet):
        return "byte-stream"
    return "units" if name == "av1" else "plain"


def _entry_of(name: str, stream: VideoStream, facts: VideoTrack) -> bytes | None:
    """The sample entry, or None for what cannot be copied."""
    if name not in COPIED or facts.codecs is None:
        return None
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or Fraction(1)
    picture = Picture(
        width=facts.width,
        height=facts.height,
        pixel_aspect=(aspect.numerator, aspect.denominator),
        colour=(int(context.color_primaries), int(context.color_trc), int(context.colorspace)),
        is_full_range=int(context.color_range) == 2,
        pixel_format=facts.pix_fmt or "yuv420p",
    )
    try:
        return video_entry(name, bytes(context.extradata or b""), facts.codecs, picture)
    except UnknownEntry:
        return None


def _timescale(base: Fraction) -> int:
    """A multiple of the container's own ticks, fine enough for sound and for pictures that are shown for one tick."""
    timescale = base.denominator * -(-TICKS // base.denominator)
    return timescale if timescale <= _FINEST else TICKS


def video_track(
    source: Source, container: InputContainer, film: Film, origin: Fraction
) -> tuple[dict[str, Any], list[int]]:
    """What the index says of a film, and its cuts. `origin` is the file's start in ticks of the container's time."""
    found = keyframes_of(source, container, film.stream, film.clock, film.first_key)
    shift = film.start - film.first_key if film.clock == "dts" else 0
    track = _named(film) | {"origin": floor(origin), "begin": round(origin * film.timescale / TICKS)}
    base = clock_of(film.stream)
    track["time_base"] = [base.numerator, base.denominator]
    track["delay"] = round(film.delay * base * film.timescale)
    cuts = [(_time(track, each.key + shift) * TICKS) // film.timescale for each in found.cuts]
    end = max((_time(track, found.end) * TICKS) // film.timescale, cuts[-1] + 1)
    track["end"] = end
    track["seek"] = [[each.key, each.at] for each in found.cuts]
    track["is_by_bytes"] = is_by_bytes(container)
    track["is_open_gop"] = _is_open_gop(container, film, found, is_by_bytes=track["is_by_bytes"])
    track["bandwidth"], track["peak"] = _rates(found, [0, *cuts[1:], end], source.size)
    return track, cuts


def _is_open_gop(container: InputContainer, film: Film, found: Keyframes, *, is_by_bytes: bool) -> bool:
    """Whether a film of H.264 has keyframes that pictures behind them refer back over: Chromium cannot seek to those.

    Told by the first keyframe that is a cut and not the film's beginning.
    """
    if film.codec_name != "h264" or len(found.cuts) < 2:
        return False
    _seek(container, film.stream, found.cuts[1].at, is_by_bytes=is_by_bytes)
    packets = islice(demuxed(container, film.stream), _MOST_HEAD_PACKETS)
    keyframe = next((packet for packet in packets if key_of(packet, film.clock) == found.cuts[1].key), None)
    config = film.stream.codec_context.extradata or b""
    length_size = 0 if film.payload == "byte-stream" or len(config) < 5 else (config[4] & 3) + 1
    return keyframe is not None and not has_idr(bytes(keyframe), length_size)


def grid_track(film: Film, origin: Fraction, end: int, size: int) -> tuple[dict[str, Any], list[int]]:
    """The same of a film that is not copied: it is cut by the clock, for pictures made anew may begin anywhere."""
    end = max(end, 1)
    cuts = list(range(0, min(end, MOST_CUTS * TARGET), TARGET))
    rate = size * 8 * TICKS // end
    track = _named(film) | {"origin": floor(origin), "end": end, "bandwidth": rate, "peak": 2 * rate}
    return track, cuts if len(cuts) == 1 or end - cuts[-1] > TICKS else cuts[:-1]


def _named(film: Film) -> dict[str, Any]:
    facts = film.facts
    aspect = film.stream.sample_aspect_ratio or Fraction(1)
    shown = (round(facts.width * aspect), facts.height)
    width, height = shown[::-1] if facts.rotation in {90, 270} else shown
    return {
        "id": facts.id,
        "kind": "video",
        "how": "copy" if film.entry is not None else "transcode",
        "codec_name": film.codec_name,
        "codecs": (facts.codecs or "").replace("hev1.", "hvc1.") or None,
        "language": facts.language,
        "title": facts.title,
        "is_default": bool(facts.disposition.get("default")),
        "width": width,
        "height": height,
        "frame_rate": facts.frame_rate,
        "timescale": film.timescale,
        "clock": film.clock,
        "payload": film.payload,
        "entry": base64.b64encode(film.entry).decode() if film.entry is not None else None,
        "shown": [*shown, facts.rotation],
    }


def _rates(found: Keyframes, times: list[int], size: int) -> tuple[int, int]:
    """Bits a second on the whole, and in the worst segment: of the film and what is interleaved with it."""
    places = [each.position for each in found.cuts]
    rates = [
        (later - place) * 8 * TICKS // max(1, until - time)
        for (place, later), (time, until) in zip(pairwise([*places, size]), pairwise(times), strict=True)
    ]
    average = size * 8 * TICKS // max(1, times[-1])
    return average, max(average, *rates)


def _time(track: Mapping[str, Any], ticks: int) -> int:
    """A time of the container in ticks of the track's own timescale, from the file's start."""
    numerator, denominator = track["time_base"]
    return int((2 * ticks * numerator * track["timescale"] + denominator) // (2 * denominator)) - int(track["begin"])


def video_segment(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Segment `n` of the film `track`, by its part of the index. Raises NoSuchTrack, CannotConvert, DamagedMedia."""
    track = terms["track"]
    if track["how"] != "copy":
        raise NoSuchTrack("the film is of a coding that players do not take as it is")
    options = _TS_OPTIONS if track["is_by_bytes"] else _OPTIONS
    with source.open(**options, **({} if source.media_type == "video/x-msvideo" else UNDECODED)) as container:
        stream = _stream_of(container, track)
        read_only(container, stream)
        _write(_reading(container, stream, terms), terms, product)


def _stream_of(container: InputContainer, track: Mapping[str, Any]) -> VideoStream:
    index = int(track["id"][1:])
    stream = container.streams[index] if index < len(container.streams) else None
    if not isinstance(stream, VideoStream):
        raise NoSuchTrack("the file has no such film")
    return stream


def _reading(container: InputContainer, stream: VideoStream, terms: Mapping[str, Any]) -> Reading:
    track, (here, *there) = terms["track"], terms["seek"]
    key, at = here
    if terms["n"]:
        _seek(container, stream, at, is_by_bytes=track["is_by_bytes"])
    keys = (key if terms["n"] else None, there[0][0] if there else None)
    return read_between(demuxed(container, stream), stream, track["clock"], keys)


def _seek(container: InputContainer, stream: VideoStream, at: int, *, is_by_bytes: bool) -> None:
    if is_by_bytes:
        container.seek(at, unsupported_byte_offset=True)
    else:
        container.seek(at, stream=stream)


def _write(reading: Reading, terms: Mapping[str, Any], product: BinaryIO) -> None:
    track = terms["track"]
    packets = [timed.packet for timed in reading.packets]
    times = shown_times(
        [_time(track, timed.time) for timed in reading.packets], [packet.is_discard for packet in packets]
    )
    payloads = [_payload(packet, track["payload"]) for packet in packets]
    after = _time(track, reading.next_time) if reading.next_time is not None else _last(track, packets, times)
    decode_time, timings = scheduled(times, after, track["delay"])
    samples = [
        Sample(len(payload), timing.duration, timing.offset, packet.is_keyframe)
        for payload, timing, packet in zip(payloads, timings, packets, strict=True)
    ]
    product.writelines([segment_head(terms["n"] + 1, decode_time, samples), *payloads])


def _last(track: Mapping[str, Any], packets: list[FilmPacket], times: list[int]) -> int:
    """When the film's last picture is over: it lasts as long as the container says, or as the one before it."""
    if not times:
        return 0
    numerator, denominator = track["time_base"]
    told = max((packet.duration or 0 for packet in packets[-4:]), default=0)
    ordered = sorted(times)
    usual = ordered[-1] - ordered[-2] if len(ordered) > 1 else track["timescale"] // 25
    return ordered[-1] + (told * numerator * track["timescale"] // denominator or usual)


def _payload(packet: FilmPacket, how: str) -> bytes:
    if how == "byte-stream":
        return length_prefixed(bytes(packet))
    return _without_delimiters(bytes(packet)) if how == "units" else bytes(packet)


def _without_delimiters(packet: bytes) -> bytes:
    """A temporal unit of AV1 without the delimiter that is its first unit in other containers (AV1 s.5.3, s.5.6)."""
    return packet[2:] if packet.startswith(b"\x12\x00") else packet

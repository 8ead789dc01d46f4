"""The subtitles inside a film, as WebVTT: a whole track, or what is to be seen between two cuts of HLS.

A container keeps subtitles among the pictures that they belong to. A whole track of Matroska costs a pass over the
whole file, once. For a segment only its own stretch is read, with a little before it for what began there, and those
texts before that for which the container's index has a place of their own.
"""

import codecs
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, BinaryIO, TypeAlias

from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream

from fileserver.media.engine.one_track import demuxed
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, NoSuchTrack
from fileserver.media.subtitles.cue_text import CueText, Look, ass_cue_text, plain_cue_text, styled_cue_text
from fileserver.media.subtitles.files import ass_styles, kept_settings, look_of
from fileserver.media.subtitles.webvtt import MAX_CUES, Cue, made_whole, segment_text, track_text

_Packet: TypeAlias = "Packet[Stream]"  # no class of its own while running

TEXT_CODECS = frozenset({"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"})
"""FFmpeg's names of the codecs whose subtitles are text, and that we read; others are pictures."""

_UTF_16 = codecs.lookup("utf-16")  # now: a worker finds no module later
_MAX_PACKET = 65_536  # bytes of one text
_MAX_TRACK = 16 << 20  # bytes of all texts of a track
_MAX_HEADER = 1 << 20  # bytes of the styles of one
_LOOK_BACK_MS = 10_000  # how long before a segment texts are looked for that are still to be seen in it
_LOOK_AHEAD_MS = 2000  # how far behind its pictures a text may stand in the file
_MOST_EARLIER = 3  # texts of the index before that
_MOST_PACKETS = 200_000  # that are read for one segment
_UNTIMED_MS = 5000  # how long a text is shown that says only when it begins
_AV_TIME_BASE_MS = 1000
_TICKS_IN_MS = 90
_STYLE_RECORD = struct.Struct(">HHHBB4x")  # 3GPP TS 26.245 s.5.17.1.1
_STYLE_TAGS = ((1, "b"), (2, "i"), (4, "u"))


def subtitles(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """All of the text track `track` (`s2`), as WebVTT. Raises NoSuchTrack, CannotConvert for pictures."""
    with source.open(skip_frame="all") as container:
        track = _track(container, terms)
        for stream in container.streams:
            stream.discard = Discard.default if stream is track.stream else Discard.all
        product.write(track_text(made_whole(_timed(track.cues(demuxed(container, track.stream))))).encode())


def subtitle_segment(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """What of the text track `track` is to be seen between the cuts `start` and `end`, as a segment of HLS.

    Cuts are in ticks of 1/90000 s from `origin`, which is in such ticks of the file's own clock; without it they are
    from the beginning that FFmpeg finds. Raises NoSuchTrack, CannotConvert for pictures.
    """
    start, end = int(terms["start"]), int(terms["end"])
    with source.open(skip_frame="all") as container:
        track = _track(container, terms)
        packets = islice(_around(container, track, start // _TICKS_IN_MS, end // _TICKS_IN_MS), _MOST_PACKETS)
        product.write(segment_text(made_whole(_timed(track.cues(packets))), start, end).encode())


@dataclass(frozen=True, slots=True)
class _Track:
    """A text track. `origin_ms` is when the film begins, by the container's clock."""

    stream: Stream
    codec: str
    origin_ms: float
    styles: Mapping[str, Look]

    def cues(self, packets: Iterable[_Packet]) -> Iterator[Cue]:
        """The texts of packets; those that do not say how long they are shown end where they begin."""
        size = 0
        kept = (each for each in packets if each.stream_index == self.stream.index and 0 < each.size <= _MAX_PACKET)
        for packet in islice(kept, MAX_CUES):
            size += packet.size
            if size > _MAX_TRACK:
                return
            start_ms = self.time_ms(packet)
            if start_ms is not None:
                found = _text_of(packet, self.codec, self.styles)
                length_ms = round(float((packet.duration or 0) * packet.time_base) * 1000)
                yield Cue(round(start_ms), round(start_ms) + max(length_ms, 0), found.text, found.settings)

    def time_ms(self, packet: _Packet) -> float | None:
        """When a packet of any track is presented; None where it does not say."""
        time = packet.pts if packet.pts is not None else packet.dts
        return None if time is None else float(time * packet.time_base) * 1000 - self.origin_ms

    def offset(self, stream: Stream, time_ms: float) -> int:
        """A moment by the clock of a stream."""
        return int((time_ms + self.origin_ms) / 1000 / float(stream.time_base or 1))


def _track(container: InputContainer, terms: Mapping[str, Any]) -> _Track:
    named = terms["track"]
    name = str(named["id"] if isinstance(named, Mapping) else named)
    stream = next((each for each in container.streams if f"s{each.index}" == name), None)
    if stream is None or stream.type != "subtitle":
        raise NoSuchTrack("the file has no such subtitles")
    context = stream.codec_context
    codec = "" if context is None else context.name
    if codec not in TEXT_CODECS:
        raise CannotConvert("these subtitles are pictures, and no text")
    header = bytes(getattr(context, "extradata", None) or b"")[:_MAX_HEADER].decode("utf-8", "replace")
    styles = ass_styles(header.replace("\r\n", "\n")) if codec in ("ass", "ssa") else {}
    begins_ms = (container.start_time or 0) / _AV_TIME_BASE_MS
    origin_ms = int(terms["origin"]) / _TICKS_IN_MS if "origin" in terms else begins_ms
    return _Track(stream, codec, origin_ms, styles)


def _around(container: InputContainer, track: _Track, start_ms: int, end_ms: int) -> Iterator[_Packet]:
    """The packets of a stretch, and texts before it that may still be seen in it; some twice."""
    first_ms = start_ms - _LOOK_BACK_MS
    clock = _clock(container, track)
    container.seek(track.offset(clock, first_ms), stream=clock)  # Matroska's index is read only now
    places = [each.timestamp for each in track.stream.index_entries or ()]
    before = [place for place in places if place < track.offset(track.stream, first_ms)]
    for place in before[-_MOST_EARLIER:]:
        container.seek(place, stream=track.stream)
        reached = (packet for packet in demuxed(container, track.stream) if (packet.pts or 0) >= place)
        yield from islice(reached, 1)
    container.seek(track.offset(clock, first_ms), stream=clock)
    for packet in demuxed(container, *{clock.index: clock, track.stream.index: track.stream}.values()):
        time_ms = track.time_ms(packet) if packet.size else None
        if time_ms is not None and time_ms >= end_ms + (_LOOK_AHEAD_MS if clock is not track.stream else 0):
            return
        yield packet


def _clock(container: InputContainer, track: _Track) -> Stream:
    """The track that tells how far a stretch is read, and by whose index it is found. All others are passed over.

    MP4 has an index of each track, so that of the texts serves. Elsewhere a text may be minutes away from the next one.
    """
    running = [each for each in (*container.streams.video, *container.streams.audio) if not _is_cover(each)]
    clock = track.stream if "mp4" in container.format.name or not running else running[0]
    for stream in container.streams:
        stream.discard = Discard.default if stream in (clock, track.stream) else Discard.all
    return clock


def _is_cover(stream: Stream) -> bool:
    return Disposition.attached_pic in stream.disposition


def _timed(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Texts with ends: those that have none are shown until the next one, and not for long."""
    ordered = sorted(cues)
    for cue, following in pairwise([*ordered, None]):
        if cue is not None and cue.end_ms == cue.start_ms:
            last_ms = cue.start_ms + _UNTIMED_MS
            end_ms = last_ms if following is None else min(following.start_ms, last_ms)
            yield Cue(cue.start_ms, end_ms, cue.text, cue.settings)
        elif cue is not None:
            yield cue


def _text_of(packet: _Packet, codec: str, styles: Mapping[str, Look]) -> CueText:
    content = bytes(packet)
    match codec:
        case "mov_text":
            return styled_cue_text(_runs(content))
        case "ass" | "ssa":
            fields = content.decode("utf-8", "replace").split(",", _FIELDS_BEFORE_TEXT)
            if len(fields) <= _FIELDS_BEFORE_TEXT:
                return CueText("")
            return ass_cue_text(fields[-1].strip("\r\n\0"), look_of(styles, fields[2]))
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    found = plain_cue_text(text, has_entities=codec == "webvtt")
    return CueText(found.text, _settings_of(packet) or found.settings)


_FIELDS_BEFORE_TEXT = 8
"""ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, as Matroska has events of ASS."""


def _settings_of(packet: _Packet) -> str:
    """The settings of a cue of WebVTT, which containers keep beside its text."""
    settings = next((bytes(each) for each in packet.iter_sidedata() if each.data_type == "webvtt_settings"), b"")
    return kept_settings(settings[:_MAX_PACKET].decode("utf-8", "replace"))


def _runs(content: bytes) -> Iterator[tuple[str, Collection[str]]]:
    """The pieces of a text of 3GPP (TS 26.245), each with its tags."""
    size = int.from_bytes(content[:2], "big")
    raw = content[2 : 2 + size]
    is_utf_16 = raw[:2] in (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)
    text = (_UTF_16.decode(raw, "replace")[0] if is_utf_16 else raw.decode("utf-8", "replace")).replace("\r", "\n")
    position = 0
    for start, end, tags in _styles(content[2 + size :]):
        if position <= start < end <= len(text):
            yield text[position:start], ()
            yield text[start:end], tags
            position = end
    yield text[position:], ()


def _styles(boxes: bytes) -> Iterator[tuple[int, int, Collection[str]]]:
    """Where the styles of a text begin and end, in characters, by the first of the boxes that tells of such."""
    begin = boxes.find(b"styl") - 4
    if begin < 0:
        return
    records = boxes[begin + _BOX_HEAD + 2 : begin + int.from_bytes(boxes[begin : begin + 4], "big")]
    for offset in range(0, len(records) - _STYLE_RECORD.size + 1, _STYLE_RECORD.size):
        start, end, _font, flags, _size = _STYLE_RECORD.unpack_from(records, offset)
        yield start, end, tuple(tag for flag, tag in _STYLE_TAGS if flags & flag)


_BOX_HEAD = 8

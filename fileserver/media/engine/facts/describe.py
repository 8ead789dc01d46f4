"""What a media file holds, as ffprobe would tell it: the derivative `describe`, JSON of `facts.Facts`."""

import dataclasses
import json
import math
import os
import re
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, BinaryIO, Protocol, runtime_checkable

import av
import av.logging
from av.container import InputContainer

from fileserver.media.engine.facts.still_facts import still_facts
from fileserver.media.engine.facts.track_facts import Printed, track_facts
from fileserver.media.engine.pictures.formats import FORMATS
from fileserver.media.engine.source import Source
from fileserver.media.facts import LONGEST_TAG, LONGEST_TITLE, MOST_CHAPTERS, MOST_TAGS, Chapter, Facts, Format

_MOST_BOXES = 1000
"""Of an MP4's outermost ones: fragmented files have thousands, and say so by their second."""

_HEADED = ("audio/matroska", "audio/mp4", "audio/webm", "video/matroska", "video/mp4", "video/quicktime", "video/webm")
_OPTIONS = {"audio/wav": {"probesize": "65536"}} | {kind: {"probesize": "500000"} for kind in _HEADED}
"""FFmpeg looks for DTS within all PCM that it reads ahead: 30 ms in five megabytes, 4 in these. Where a head lists all
tracks, a tenth of what it would read does as well."""

_LONGEST_S = 10 * 365 * 24 * 3600.0
"""A file that claims to play longer does not know."""


def describe(source: Source, _terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Write a file's facts. Raises NotMedia, DamagedMedia."""
    facts = still_facts(source) if source.media_type in FORMATS else _facts(source)
    product.write(json.dumps(dataclasses.asdict(facts), ensure_ascii=False, allow_nan=False).encode())


def _facts(source: Source) -> Facts:
    """By what the container says; a picture is decoded only where that leaves open how it is stored: 20 ms."""
    glanced = _read(source, skip_frame="all")
    return glanced if all(film.pix_fmt for film in glanced.films) else _read(source)


def _read(source: Source, **options: str) -> Facts:
    with source.open(**_OPTIONS.get(source.media_type, {}), **options) as container:
        printed = printed_of(container)
        found = (track_facts(stream, printed.get(stream.index, Printed())) for stream in container.streams)
        streams = tuple(track for track in found if track is not None)
        return Facts(format=_format(container), streams=streams, chapters=_chapters(container),
                     is_index_last="mov" in container.format.name and _is_index_last(source))  # fmt: skip


def _format(container: InputContainer) -> Format:
    duration = _seconds(container.duration, Fraction(1, av.time_base))
    return Format(
        format_name=container.format.name,
        duration=duration if duration and duration > 0 else None,
        start_time=_seconds(container.start_time, Fraction(1, av.time_base)) or 0.0,
        bit_rate=container.bit_rate or None,
        tags=_tags(container),
    )


def _tags(container: InputContainer) -> dict[str, str]:
    """The file's tags by lower-case name, as they are spelled by one container or another."""
    told = dict(container.metadata)
    if container.format.name == "ogg" and container.streams:  # its only place for them is a stream
        told = {**container.streams[0].metadata, **told}
    named = [(key.lower()[:LONGEST_TAG], value[:LONGEST_TAG]) for key, value in told.items()]
    return dict(named[:MOST_TAGS])


def _chapters(container: InputContainer) -> tuple[Chapter, ...]:
    found = []
    for chapter in container.chapters()[:MOST_CHAPTERS]:
        start = _seconds(chapter["start"], chapter["time_base"])
        end = _seconds(chapter["end"], chapter["time_base"])
        if start is not None and end is not None and end >= start:
            found.append(Chapter(start=start, end=end, title=chapter["metadata"].get("title", "")[:LONGEST_TITLE]))
    return tuple(found)


def _seconds(ticks: int | None, time_base: Fraction | None) -> float | None:
    if ticks is None or not time_base:
        return None
    seconds = float(ticks * time_base)
    return round(seconds, 6) if math.isfinite(seconds) and abs(seconds) <= _LONGEST_S else None


_STREAM_LINE = re.compile(r"^  Stream #0:(\d+)[^ ]*: \w+: (\w+)")
_ROTATION = re.compile(r"^ +Display Matrix: rotation of (-?\d+\.\d+) degrees$")
_DEPTH = re.compile(r"\((\d+) bit\)")


def printed_of(container: InputContainer) -> dict[int, Printed]:
    """What FFmpeg prints of the streams and PyAV gives no other way to.

    Tags are printed there too, but with a colon further right: none can pass for one of the lines wanted here.
    """
    found: dict[int, Printed] = {}
    index = -1
    for line in _dump(container).split("\n"):
        if stream := _STREAM_LINE.match(line):
            index = int(stream[1])
            depth = _DEPTH.search(line)
            found[index] = Printed(codec_name=stream[2], bit_depth=int(depth[1]) if depth else None)
        elif (turn := _ROTATION.match(line)) and index >= 0:
            found[index] = dataclasses.replace(found[index], counterclockwise=float(turn[1]))
    return found


@runtime_checkable
class _Printing(Protocol):
    """What PyAV's containers can do, and its stubs do not tell."""

    def dumps_format(self) -> str: ...


def _dump(container: InputContainer) -> str:
    """What `ffprobe` shows people; PyAV hands it on only while it listens to FFmpeg's log."""
    if not isinstance(container, _Printing):
        return ""
    av.logging.set_level(av.logging.INFO)
    try:
        return container.dumps_format()
    finally:
        av.logging.set_level(None)


def _is_index_last(source: Source) -> bool:
    """Whether the media of an MP4 comes before its index, and the index is no more than one (ISO 14496-12 s.8.2)."""
    place, has_media = 0, False
    for _ in range(_MOST_BOXES):
        head = os.pread(source.descriptor, 16, place)
        if len(head) < 8:
            return False
        size, kind = struct.unpack_from(">I4s", head)
        if kind == b"moov":
            return has_media
        if kind == b"moof":
            return False
        has_media = has_media or kind == b"mdat"
        if size == 1 and len(head) == 16:
            size = struct.unpack_from(">Q", head, 8)[0]
        if size < 8 or place + size >= source.size:
            return False
        place += size
    return False

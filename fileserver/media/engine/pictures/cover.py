"""The picture that came with a song, a book or a film: its own bytes, as they are in the file."""

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from fileserver.media.engine.one_track import demuxed, read_only
from fileserver.media.engine.source import Source
from fileserver.media.faults import CannotConvert, NoSuchTrack

MOST_COVER = 32 << 20
"""The largest cover that is given out, in bytes."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
"""JPEG, PNG, GIF. WebP has its sign in two places."""


def cover(source: Source, _terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Write the cover as it is. Raises NoSuchTrack, and CannotConvert when it is no picture that a page shows."""
    with source.open() as container:
        picture = _picture(container, _chosen(container.streams.video))
    if len(picture) > MOST_COVER:
        raise CannotConvert(f"the cover is larger than {MOST_COVER} bytes")
    if not _is_picture(picture):
        raise CannotConvert("the cover is not JPEG, PNG, GIF or WebP")
    product.write(picture)


def _chosen(streams: Iterable[VideoStream]) -> VideoStream:
    """The front cover where tags say which it is (ID3v2 APIC, FLAC's picture type 3), else the first."""
    covers = [stream for stream in streams if stream.disposition & Disposition.attached_pic]
    if not covers:
        raise NoSuchTrack("the file has no cover")
    return next((stream for stream in covers if "front" in stream.metadata.get("comment", "").lower()), covers[0])


def _picture(container: InputContainer, chosen: VideoStream) -> bytes:
    """FFmpeg gives pictures before anything else, so nothing is read for it."""
    read_only(container, chosen)
    for packet in demuxed(container, chosen):
        return bytes(packet)
    return b""


def _is_picture(content: bytes) -> bool:
    return content.startswith(_SIGNATURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")

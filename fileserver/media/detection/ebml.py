"""What a Matroska or WebM file is, and whether it holds film or sound. Source: RFC 8794 s.4-6, RFC 9559 s.5, s.27."""

from collections.abc import Iterator
from dataclasses import dataclass

from fileserver.media.detection.found import Found

_HEADER = 0x1A45DFA3
_DOCUMENT_TYPE = 0x4282
_SEGMENT = 0x18538067
_TRACKS = 0x1654AE6B
_TRACK = 0xAE
_TRACK_TYPE = 0x83
_CLUSTER = 0x1F43B675
_VIDEO, _SOUND = 1, 2
_MOST_ELEMENTS = 500
"""Looked at in one file: enough for the tracks of any, too few to be a burden."""

_FOLDERS = frozenset({_HEADER, _SEGMENT, _TRACKS, _TRACK})
_DOCUMENTS = {b"matroska": "matroska", b"webm": "webm"}


@dataclass(frozen=True, slots=True)
class _Element:
    number: int
    start: int
    end: int
    """Where its content lies; it may end beyond what was read."""


def ebml_type(head: bytes) -> Found | None:
    """What an EBML document that begins with `head` is; None for any other file and for documents of other types.

    >>> ebml_type(bytes.fromhex("1a45dfa3 8b 4282 88") + b"matroska")
    Found(media_type='video/matroska', is_settled=False)
    """
    if not head.startswith(_HEADER.to_bytes(4)):
        return None
    kind, types, is_whole = None, set(), False
    for element in _elements(head):
        content = head[element.start : min(element.end, element.start + 16)]
        if element.number == _DOCUMENT_TYPE:
            kind = _DOCUMENTS.get(content.rstrip(b"\0"))
        elif element.number == _TRACK_TYPE:
            types.add(int.from_bytes(content))
        elif element.number == _TRACKS:
            is_whole = element.end <= len(head)
    if kind is None:
        return None
    if _VIDEO in types:
        return Found(f"video/{kind}")
    return Found(f"audio/{kind}") if is_whole and _SOUND in types else Found(f"video/{kind}", is_settled=False)


def _elements(head: bytes) -> Iterator[_Element]:
    """The elements in `head` in their order, down to the tracks' own, up to the first cluster."""
    place = 0
    for _ in range(_MOST_ELEMENTS):
        number, place = _number(head, place, is_marked=True)
        size, start = _number(head, place, is_marked=False)
        if number in {-1, _CLUSTER} or size == -1:
            return
        yield _Element(number, start, start + size)
        place = start if number in _FOLDERS else start + size


def _number(head: bytes, place: int, *, is_marked: bool) -> tuple[int, int]:
    """A number of variable length and where it ends; -1 where there is none. Its mark of length is part of a name."""
    first = head[place] if place < len(head) else 0
    length = 9 - first.bit_length()
    if length > 8 or place + length > len(head):
        return -1, place
    number = int.from_bytes(head[place : place + length])
    return (number if is_marked else number & ((1 << 7 * length) - 1)), place + length

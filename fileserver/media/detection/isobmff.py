"""What a file of boxes is: MP4, QuickTime, 3GPP, HEIF, AVIF, JPEG 2000 or JPEG XL, and whether it holds film or sound.

Source: ISO 14496-12 s.4.2 (boxes), s.4.3 (brands), s.8.4.3 (handlers); ISO 23008-12 s.10.2, ISO 15444-1 Annex I,
ISO 18181-2 s.9; the brands as mp4ra.org registers them; QuickTime File Format, "Atoms" (files without brands).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fileserver.media.detection.found import Found

_MOST_BOXES = 500
"""Looked at in one file: enough for the tracks of any, too few to be a burden."""

_MOST_BRANDS = 64
_FIRST = re.compile(rb".{4}(?:ftyp|styp|moov|moof|mdat|free|skip|wide|pnot|sidx|uuid)", re.DOTALL)
_TOP_LEVEL = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"pnot",
        b"sidx",
        b"uuid",
        b"meta",
        b"udta",
    }
)
_FOLDERS = frozenset({b"moov", b"trak", b"mdia"})
_JPEG_FAMILY = {b"JXL ": "image/jxl", b"jP  ": "image/jp2", b"jP\x1a\x1a": "image/jp2"}
_SIGNED = b"\r\n\x87\n"

_BY_BRAND: dict[bytes, str] = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
    b"crx ": "image/x-canon-cr3",
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
    b"jpm ": "image/jpm",
    b"jxl ": "image/jxl",
    b"mjp2": "video/mj2",
    b"qt  ": "video/quicktime",
    b"aax ": "audio/vnd.audible.aax",
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "), "audio/mp4"),
    **dict.fromkeys((b"M4V ", b"M4VH", b"M4VP", b"F4V ", b"F4P "), "video/mp4"),
}
_HEIF = frozenset({b"mif1", b"mif2", b"msf1", b"miaf"})
_SOUND_OF = {"video/mp4": "audio/mp4", "video/3gpp": "audio/3gpp", "video/3gpp2": "audio/3gpp2"}


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int
    """Where its content lies; it may end beyond what was read."""


def boxed_type(head: bytes) -> Found | None:
    """What a file of boxes that begins with `head` is; None for any other.

    >>> boxed_type(b"\\0\\0\\0\\x14ftypM4A \\0\\0\\0\\0isom")
    Found(media_type='audio/mp4', is_settled=False)
    >>> boxed_type(b"words") is None
    True
    """
    signed = _JPEG_FAMILY.get(head[4:8]) if head[8:12] == _SIGNED else None
    if signed:
        return Found(_by_brands(_brands(head[12:])) or signed)
    if not _FIRST.match(head):
        return None
    boxes = list(_boxes(head))
    if boxes[0].kind not in _TOP_LEVEL:
        return None
    branded = _by_brands(_brands(head)) if boxes[0].kind in {b"ftyp", b"styp"} else None
    is_fragment = boxes[0].kind in {b"styp", b"moof", b"sidx"}
    is_film = boxes[0].kind != b"ftyp" and any(box.kind in {b"moov", b"mdat"} for box in boxes)
    if not (branded or is_fragment or is_film):
        return None
    return _with_tracks(head, boxes, branded or ("video/mp4" if is_fragment else "video/quicktime"))


def _with_tracks(head: bytes, boxes: list[_Box], branded: str) -> Found:
    """Sound where all tracks are known and none is a film; a cover or chapter pictures do not make a film of a book."""
    if branded.startswith("image/"):
        return Found(branded)
    handlers = {head[box.start + 8 : box.start + 12] for box in boxes if box.kind == b"hdlr"}
    films = next((box for box in boxes if box.kind == b"moov"), None)
    if films is None or (films.end > len(head) and b"vide" not in handlers):
        return Found(branded, is_settled=False)
    if b"vide" in handlers:
        return Found(branded, is_settled=not branded.startswith("audio/") and branded not in _SOUND_OF)
    return Found(_SOUND_OF.get(branded, branded) if b"soun" in handlers else branded)


def _boxes(head: bytes) -> Iterator[_Box]:
    """The boxes in `head` in their order, those within films and tracks behind the one that holds them."""
    place, found = 0, 0
    while place + 8 <= len(head) and found < _MOST_BOXES:
        size, kind, start = int.from_bytes(head[place : place + 4]), head[place + 4 : place + 8], place + 8
        if size == 1:
            size, start = int.from_bytes(head[start : start + 8]), start + 8
        end = place + size if size else len(head) + 1  # without a size it lasts to the end of the file
        if end < start:
            yield _Box(kind, start, len(head) + 1)  # broken: what it is has been said all the same
            return
        yield _Box(kind, start, end)
        place, found = (start if kind in _FOLDERS else end), found + 1


def _brands(head: bytes) -> tuple[bytes, ...]:
    """The major brand and those that the file is compatible with, of the box at the start of `head`."""
    if head[4:8] not in {b"ftyp", b"styp"}:
        return ()
    size = min(int.from_bytes(head[:4]), 16 + 4 * _MOST_BRANDS, len(head))
    return head[8:12], *(head[place : place + 4] for place in range(16, size - 3, 4))


def _by_brands(brands: tuple[bytes, ...]) -> str | None:
    """What the major brand says, or the others where it speaks of the structure alone."""
    if not brands or not all(0x20 <= letter < 0x7F for letter in brands[0]):
        return None
    major = brands[0]
    if major in _HEIF:
        pictures = (_BY_BRAND.get(brand, "") for brand in brands[1:])
        return next((kind for kind in pictures if kind.startswith("image/")), "image/heif")
    if major in _BY_BRAND:
        return _BY_BRAND[major]
    if major.startswith(b"3g2"):
        return "video/3gpp2"
    return "video/3gpp" if major.startswith(b"3g") else "video/mp4"

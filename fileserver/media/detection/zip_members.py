"""What a zip archive is, by the names of its first members and what the first of them declares.

Source: APPNOTE.TXT s.4.3.7 (local headers), OCF 3.3 s.4.3 and OpenDocument 1.3 part 2 s.3.3 (`mimetype`), ECMA-376 part
2 (packages).
"""

import re
from collections.abc import Iterator

from fileserver.media.detection.found import Found

ZIP = "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_LOCAL = b"PK\x03\x04"
_EMPTY = b"PK\x05\x06"
_SPLIT = b"PK\x07\x08PK\x03\x04"
_HEADER_SIZE = 30
_MOST_MEMBERS = 500
_LENGTHS_FOLLOW = 0x08
_DECLARED = re.compile(
    rb"application/(?:epub\+zip|x-krita|vnd\.(?:oasis\.opendocument|sun\.xml|adobe|etsi)\.[a-z0-9.+-]{1,80})|image/openraster"
)
"""The types that name themselves so. Any other would let a file choose what it is called."""


_BY_MEMBER: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"AndroidManifest\.xml|classes\d*\.dex"), "application/vnd.android.package-archive"),
    (re.compile(rb"word/"), f"{_OFFICE}.wordprocessingml.document"),
    (re.compile(rb"xl/"), f"{_OFFICE}.spreadsheetml.sheet"),
    (re.compile(rb"ppt/"), f"{_OFFICE}.presentationml.presentation"),
    (re.compile(rb"visio/"), "application/vnd.ms-visio.drawing.main+xml"),
    (re.compile(rb"3D/.*\.model"), "model/3mf"),
    (re.compile(rb"FixedDocSeq\.fdseq|FixedDocumentSequence\.fdseq"), "application/oxps"),
    (re.compile(rb"META-INF/(?:MANIFEST\.MF)?$"), "application/java-archive"),
    (re.compile(rb"[^/]*\.kml$"), "application/vnd.google-earth.kmz"),
)
"""The first that any member matches. A package of Android holds a manifest of Java's too."""

_IN_PACKAGES = frozenset(media_type for _, media_type in _BY_MEMBER[1:7])
"""What counts only beside `[Content_Types].xml`: folders of such names are in other archives as well."""


def zip_type(head: bytes) -> Found | None:
    """What a zip archive that begins with `head` is; None for any other file. A plain one is for the name to refine."""
    if head.startswith(_SPLIT):
        head = head[4:]
    if head.startswith(_EMPTY):
        return Found(ZIP, is_settled=False)
    if not head.startswith(_LOCAL):
        return None
    members = tuple(_members(head))
    name, content = members[0] if members else (b"", b"")
    if name == b"mimetype" and _DECLARED.fullmatch(content):
        return Found(content.decode())
    names = [name for name, _ in members]
    is_package = b"[Content_Types].xml" in names
    for pattern, media_type in _BY_MEMBER:
        if (is_package or media_type not in _IN_PACKAGES) and any(pattern.match(name) for name in names):
            return Found(media_type, is_settled=False)
    return Found(ZIP, is_settled=False)


def _members(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names of the members in `head`, and the content of those that are stored as they are."""
    place = 0
    for _ in range(_MOST_MEMBERS):
        header = head[place : place + _HEADER_SIZE]
        if len(header) < _HEADER_SIZE or not header.startswith(_LOCAL):
            return
        flags, method, size = (int.from_bytes(header[at : at + length], "little") for at, length in
                               ((6, 2), (8, 2), (18, 4)))  # fmt: skip
        name_size, extra_size = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
        name = head[place + _HEADER_SIZE : place + _HEADER_SIZE + name_size]
        start = place + _HEADER_SIZE + name_size + extra_size
        is_known = size or not flags & _LENGTHS_FOLLOW
        end = start + size if is_known else head.find(_LOCAL, start)
        yield name, head[start:end] if method == 0 and end >= 0 else b""
        if end < 0:
            return
        place = end

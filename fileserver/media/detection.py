"""What a file really is: libmagic's word on its bytes, with its name to choose between neighbours.

The promise: a file that begins as a document that a browser would run is never called anything harmless, whatever its
name; and a name alone makes no file into something that its bytes are not. Source: WHATWG MIME Sniffing, RFC 9559 s.27
(Matroska), RFC 5334 (Ogg), RFC 4337 (MP4).
"""

import codecs
import re
import threading

import pylibmagic  # noqa: F401  # before `magic`, which loads the library and its database from where this points it

import magic  # isort: skip

from fileserver.media.markup import HTML, XHTML, XML, is_xml_like, markup_type
from fileserver.media.names import BINARY_FAMILY, TEXT, ZIP, extension_of

HEAD_SIZE = 65_536
"""How many bytes of a file detection is made for; fewer are taken to be the whole file."""

OCTET_STREAM = "application/octet-stream"
PLAIN = "text/plain"

_PREFERRED = {
    "application/font-sfnt": "font/sfnt",
    "application/vnd.ms-opentype": "font/otf",
    "application/x-gzip": "application/gzip",
    "audio/vnd.dolby.dd-raw": "audio/ac3",
    "audio/x-aiff": "audio/aiff",
    "audio/x-flac": "audio/flac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/vnd.microsoft.icon": "image/x-icon",
    "image/x-ms-bmp": "image/bmp",
    "video/x-m4v": "video/mp4",
    "video/x-matroska": "video/matroska",
}
"""libmagic's names for what browsers and registries call otherwise."""

_SIGNATURES = (
    (re.compile(rb"\x00\x00\x01\x00[\x01-\xff]\x00"), "image/x-icon"),
    (re.compile(rb"wOF2"), "font/woff2"),
    (re.compile(rb"\x00asm\x01\x00\x00\x00"), "application/wasm"),
    (re.compile(rb"PAR1"), "application/vnd.apache.parquet"),
    (re.compile(rb"SQLite format 3\x00"), "application/vnd.sqlite3"),
    (re.compile(rb"caff\x00\x01"), "audio/x-caf"),
    # A large cover in the tag pushes the sound itself out of the head (ID3v2.3 s.3.1).
    (re.compile(rb"ID3[\x02-\x04].{2}[\x00-\x7f]{4}", re.DOTALL), "audio/mpeg"),
    (re.compile(rb".{4}(?:styp|moof)", re.DOTALL), "video/mp4"),  # a segment of a stream, ISO 14496-12 s.8.16
    # Packets of 188 bytes (ISO 13818-1 s.2.4.3.2); on Blu-ray and from camcorders, with a time of 4 bytes before each.
    (re.compile(rb"(?:G.{187}){3}|(?:.{4}G.{187}){3}", re.DOTALL), "video/mp2t"),
)
"""Kinds that the database knows without a media type, not at all, or not by the head alone."""

_WRITTEN_AS_TEXT = frozenset(
    {
        "application/json",
        "application/pdf",
        "application/postscript",
        "message/rfc822",
        "text/calendar",
        "text/csv",
        "text/rtf",
        "text/vcard",
    }
)
"""What libmagic is believed to recognise in plain text. Its programming languages are guesses from a word or two."""

_BY_NAME = {
    "video/mp4": {"3ga": "audio/3gpp", "m4a": "audio/mp4", "m4b": "audio/mp4", "m4r": "audio/mp4"},
    "audio/ac3": {"ec3": "audio/eac3", "eac3": "audio/eac3"},
    "audio/mp4": {"mp4": "video/mp4", "m4v": "video/mp4"},
    "video/quicktime": {"mp4": "video/mp4", "m4v": "video/mp4", "m4a": "audio/mp4"},
    "video/3gpp": {"3ga": "audio/3gpp", "mp4": "video/mp4", "m4a": "audio/mp4"},
    "video/matroska": {"mka": "audio/matroska"},
    "video/webm": {"mka": "audio/webm", "weba": "audio/webm"},
    "application/ogg": {"ogv": "video/ogg", "oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg"},
    "video/x-ms-asf": {"wma": "audio/x-ms-wma", "wmv": "video/x-ms-wmv"},
}
"""Containers that hold sound or film alike: the bytes prove the container, the name says what it is for."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text holds: WHATWG's binary data bytes, but for the vertical tab."""

_LONG_BLANKS = re.compile(rb"(?<!\s)\s{256,}")
"""What libmagic is not shown: its time for blanks is quadratic, half a second for 64 KiB of them."""


def detect(head: bytes, name: str) -> str:
    """The media type of a file called `name` that begins with `head`, its first `HEAD_SIZE` bytes or all of them.

    Where bytes and name disagree, text is `text/plain` and anything else `application/octet-stream`. An empty file is
    empty text where its name says text. Text in UTF-8 says so; in other encodings it leaves that open.

    >>> detect(b"a,b\\n1,2\\n", "table.csv"), detect(b"<script>alert(1)</script>", "film.mp4")
    ('text/csv; charset=utf-8', 'text/html; charset=utf-8')
    >>> detect(b"hello", "film.mp4"), detect(b"", "film.mp4")
    ('text/plain; charset=utf-8', 'application/octet-stream')
    """
    extension = extension_of(name)
    if not head and extension not in TEXT:
        return OCTET_STREAM
    is_utf8 = _is_utf8(head)
    media_type = _media_type(head, extension, is_utf8=is_utf8)
    return f"{media_type}; charset=utf-8" if is_utf8 and media_type.startswith("text/") else media_type


def _media_type(head: bytes, extension: str, *, is_utf8: bool) -> str:
    active = markup_type(head, is_markdown=TEXT.get(extension) == "text/markdown")
    if active:
        return _active(active, TEXT.get(extension, ""))
    found = _preferred(_ask_libmagic(_LONG_BLANKS.sub(b"\n", head)))
    if _is_text(head, found, is_utf8=is_utf8):
        return _text(head, found, extension)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(found, extension)
    return _binary(head, found, extension)


def _active(active: str, claimed: str) -> str:
    """A dialect of XML by its name, where the bytes leave it open."""
    if active == XML and claimed.endswith("+xml"):
        return claimed
    return XHTML if active == HTML and claimed == XHTML else active


def _text(head: bytes, found: str, extension: str) -> str:
    """Text by its name; without one that is known, what libmagic is sure of."""
    claimed = TEXT.get(extension)
    if found == HTML and claimed in {None, PLAIN}:  # a document after some words: harmless kinds may quote one
        return HTML
    if claimed:
        return PLAIN if "xml" in claimed and not is_xml_like(head) else claimed
    if extension in BINARY_FAMILY and BINARY_FAMILY[extension] != found:
        return PLAIN
    return found if found in _WRITTEN_AS_TEXT else PLAIN


def _zip(found: str, extension: str) -> str:
    """A zip archive by its name, unless its members have already told more."""
    if extension in ZIP and found in {"application/zip", OCTET_STREAM, "application/java-archive"}:
        return ZIP[extension]
    is_at_odds = extension in TEXT or extension in BINARY_FAMILY
    return OCTET_STREAM if is_at_odds else found


def _binary(head: bytes, found: str, extension: str) -> str:
    known = found if found not in {OCTET_STREAM, PLAIN} else _by_signature(head)
    refined = _BY_NAME.get(known, {}).get(extension, known)
    claimed = BINARY_FAMILY.get(extension) or ZIP.get(extension) or TEXT.get(extension)
    return refined if claimed in {None, _family(refined), refined} else OCTET_STREAM


def _family(media_type: str) -> str:
    kind = media_type.partition("/")[0]
    return "media" if kind in {"audio", "video"} else kind


def _by_signature(head: bytes) -> str:
    return next((media_type for pattern, media_type in _SIGNATURES if pattern.match(head)), OCTET_STREAM)


def _is_text(head: bytes, found: str, *, is_utf8: bool) -> bool:
    """Whether `head` can be read: UTF-8, UTF-16 with its mark, or what libmagic takes for another encoding."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return found.startswith("text/")
    return not _CONTROLS.search(head) and (is_utf8 or found.startswith("text/"))


def _is_utf8(head: bytes) -> bool:
    """Whether `head` is UTF-8, perhaps with its last character cut off by the end of the head."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_SIZE)
    except UnicodeDecodeError:
        return False
    return True


def _preferred(media_type: str) -> str:
    return _PREFERRED.get(media_type, media_type)


class _Handles(threading.local):
    """One libmagic handle for each thread.

    libmagic keeps its results in the handle, so two threads may never use one at once. python-magic guards a handle by
    a lock, and ctypes lets go of the interpreter during the call: with a handle for each thread, one slow file holds
    up nobody else. Opening one takes 0.2 ms and no memory of note, since all of them map the same database.
    """

    handle: magic.Magic | None = None


_handles = _Handles()
_opening = threading.Lock()  # libmagic fills tables that all handles share


def _ask_libmagic(head: bytes) -> str:
    if _handles.handle is None:
        with _opening:
            _handles.handle = magic.Magic(mime=True)
    try:
        return _handles.handle.from_buffer(head)
    except magic.MagicException:  # it gave up on one of its own limits
        return OCTET_STREAM

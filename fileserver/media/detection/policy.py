"""What a file really is: what its structure proves, then libmagic's word on its bytes, its name to choose neighbours.

The promise: a file that begins as a document that a browser would run is never called anything harmless, whatever its
name; and a name alone makes no file into something that its bytes are not. Source: WHATWG MIME Sniffing, RFC 9559 s.27
(Matroska), RFC 5334 (Ogg), RFC 4337 (MP4).
"""

import codecs
import re
import threading

import pylibmagic  # noqa: F401  # before `magic`, which loads the library and its database from where this points it

import magic  # isort: skip

from fileserver.media.detection.bare_streams import bare_type, late_bare_type
from fileserver.media.detection.chunks import chunked_type
from fileserver.media.detection.compound import compound_type
from fileserver.media.detection.ebml import ebml_type
from fileserver.media.detection.found import Found
from fileserver.media.detection.isobmff import boxed_type
from fileserver.media.detection.markup import HTML, XHTML, XML, is_xml_like, markup_type, xml_dialect
from fileserver.media.detection.names import BINARY_FAMILY, NEIGHBOURS, TEXT, TEXT_BY_NAME, ZIP, extension_of
from fileserver.media.detection.ogg import ogg_type
from fileserver.media.detection.signatures import headerless_type, signed_type
from fileserver.media.detection.texts import HLS, worded_type
from fileserver.media.detection.zip_members import zip_type

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

_STRUCTURES = (boxed_type, ebml_type, ogg_type, chunked_type, zip_type, compound_type, bare_type)
"""What reads a structure and not a signature alone: it proves more than libmagic does, in a tenth of its time."""

_GUESSES = frozenset({OCTET_STREAM, "image/x-tga"})
"""What libmagic says where it knows nothing; of two bytes or three it makes a picture."""

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

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What no text holds: WHATWG's binary data bytes, but for the vertical tab."""

_LONG_BLANKS = re.compile(rb"(?<!\s)\s{256,}")
"""What libmagic is not shown: its time for blanks is quadratic, half a second for 64 KiB of them."""


def detect(head: bytes, name: str) -> str:
    """The media type of a file called `name` that begins with `head`, its first `HEAD_SIZE` bytes or all of them.

    Bytes win over the name, which chooses among the kinds of text and within the family that the bytes prove. What
    neither of them knows is `text/plain` or `application/octet-stream`. An empty file is empty text where its name says
    text. Text in UTF-8 says so; in other encodings it leaves that open.

    >>> detect(b"a,b\\n1,2\\n", "table.csv"), detect(b"<script>alert(1)</script>", "film.mp4")
    ('text/csv; charset=utf-8', 'text/html; charset=utf-8')
    >>> detect(b"hello", "film.mp4"), detect(b"", "film.mp4"), detect(b"\\x89PNG\\r\\n\\x1a\\n", "notes.txt")
    ('text/plain; charset=utf-8', 'application/octet-stream', 'image/png')
    """
    extension = extension_of(name)
    if not head and extension not in TEXT:
        return OCTET_STREAM
    is_utf8 = _is_utf8(head)
    media_type = _media_type(head, name, extension, is_utf8=is_utf8)
    return f"{media_type}; charset=utf-8" if is_utf8 and media_type.startswith("text/") else media_type


def _media_type(head: bytes, name: str, extension: str, *, is_utf8: bool) -> str:
    claimed = TEXT_BY_NAME.get(name.lower()) or TEXT.get(extension)
    active = markup_type(head, is_markdown=claimed == "text/markdown")
    if active:
        return _active(active, claimed or "", head)
    has_controls = _CONTROLS.search(head) is not None
    if (is_utf8 and not has_controls) or _is_wide_text(head):
        return _text(head, claimed, extension)
    known = _structure(head)
    if known:
        return _refined(known, extension)
    found = _ask_libmagic(head)
    if not has_controls and found.startswith("text/"):
        return _text(head, claimed, extension)
    return _binary(head, found, extension)


def _active(active: str, claimed: str, head: bytes) -> str:
    """A dialect of XML by its root, or by its name where that leaves it open."""
    if active == XML:
        return xml_dialect(head) or (claimed if claimed.endswith("+xml") else XML)
    return XHTML if active == HTML and claimed == XHTML else active


def _text(head: bytes, claimed: str | None, extension: str) -> str:
    """Text by its name; without one that is known, what its first words or libmagic are sure of."""
    found = _ask_libmagic(head) if claimed in {None, PLAIN} else ""
    if found == HTML:  # a document after some words: harmless kinds may quote one
        return HTML
    if claimed:
        return _confirmed(claimed, head)
    worded = worded_type(head)
    if worded or extension in BINARY_FAMILY:
        return worded or PLAIN
    dialect = xml_dialect(head) if is_xml_like(head) else None
    return dialect or (found if found in _WRITTEN_AS_TEXT else PLAIN)


def _confirmed(claimed: str, head: bytes) -> str:
    """What the name claims, where that is a kind of text that has to look like one."""
    if "xml" in claimed:
        dialect = xml_dialect(head) if claimed == XML else None
        return dialect or (claimed if is_xml_like(head) else PLAIN)
    is_hls = claimed == "audio/x-mpegurl" and worded_type(head) == HLS
    return HLS if is_hls else claimed


def _structure(head: bytes) -> Found | None:
    found = next((found for read in _STRUCTURES if (found := read(head))), None)
    if found:
        return found
    signed = signed_type(head)
    return Found(signed, is_settled=False) if signed else None


def _refined(found: Found, extension: str) -> str:
    """The neighbour that the name chooses, where the bytes leave the choice."""
    if found.is_settled:
        return found.media_type
    return NEIGHBOURS.get(found.media_type, {}).get(extension, found.media_type)


def _binary(head: bytes, found: str, extension: str) -> str:
    """libmagic's word, unless the name speaks of another family; then what shows only to who knows the name."""
    if found not in _GUESSES and not found.startswith("text/"):
        claimed = BINARY_FAMILY.get(extension) or ZIP.get(extension) or TEXT.get(extension)
        return found if claimed in {None, _family(found), found} else OCTET_STREAM
    return late_bare_type(head, extension) or headerless_type(head, extension) or OCTET_STREAM


def _family(media_type: str) -> str:
    kind = media_type.partition("/")[0]
    return "media" if kind in {"audio", "video"} else kind


def _is_wide_text(head: bytes) -> bool:
    """Whether `head` is UTF-16 with its mark, by which a frame of MPEG audio may begin as well."""
    is_marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return is_marked and _ask_libmagic(head).startswith("text/")


def _is_utf8(head: bytes) -> bool:
    """Whether `head` is UTF-8, perhaps with its last character cut off by the end of the head."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_SIZE)
    except UnicodeDecodeError:
        return False
    return True


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
        found = _handles.handle.from_buffer(_LONG_BLANKS.sub(b"\n", head))
    except magic.MagicException:  # it gave up on one of its own limits
        return OCTET_STREAM
    return _PREFERRED.get(found, found)

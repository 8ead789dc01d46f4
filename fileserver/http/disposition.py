"""Content-Disposition (RFC 6266, RFC 8187): the name under which a file is saved."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote

_ATTR_CHAR = "!#$&+-.^_`|~"  # RFC 8187 s.3.2.1, beside letters and digits
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SURROGATE = re.compile("[\ud800-\udfff]")
# On Windows these are devices, whatever follows their first dot and with spaces before it
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
MAX_NAME_BYTES = 255  # what file systems take
_FILENAME = re.compile(r'; *filename *= *(?:"((?:[^"\\]|\\.)*)"|([^;" ]+))', re.IGNORECASE)
_EXTENDED_FILENAME = re.compile(r"; *filename\* *= *UTF-8'[^';]*'([^; ]+)", re.IGNORECASE)


@lru_cache(maxsize=256)
def content_disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """The field's value, always with both names: ASCII for old readers, then the real one (RFC 6266 appendix D).

    >>> content_disposition("attachment", "a/słoń.txt")
    'attachment; filename="s_on.txt"; filename*=UTF-8\\'\\'s%C5%82o%C5%84.txt'
    """
    safe = safe_name(name)
    return f"{kind}; filename=\"{_ascii(safe)}\"; filename*=UTF-8''{quote(safe, safe=_ATTR_CHAR)}"


def filename_of(text: str) -> str | None:
    """The name that a request's Content-Disposition gives its content; the extended form wins (RFC 6266 s.4.3).

    >>> filename_of('inline; filename="a b.txt"'), filename_of("inline; filename=x; filename*=UTF-8''s%C5%82.txt")
    ('a b.txt', 'sł.txt')
    """
    if match := _EXTENDED_FILENAME.search(text):
        return unquote(match[1], errors="surrogateescape")
    if match := _FILENAME.search(text):
        return match[2] or re.sub(r"\\(.)", r"\1", match[1])
    return None


def safe_name(name: str) -> str:
    """A name that can be saved anywhere and shows what it is: one segment, no control characters, never empty.

    >>> safe_name("../../etc/pass\\nwd. ")
    'passwd'
    """
    segment = re.split(r"[/\\]", name)[-1]  # the last segment alone (RFC 6266 s.4.3)
    shown = "".join(each for each in segment if unicodedata.category(each) != "Cc" and each not in _BIDI)
    return _portable(_SURROGATE.sub("\ufffd", shown))


def _ascii(name: str) -> str:
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    # '%' followed by digits is decoded by some readers, quotes and backslashes are escaped differently by each
    return _portable(re.sub(r'[^ -~]|["\\%/]', "_", plain))  # NFKD makes dots of an ellipsis, CON of a full-width one


def _portable(name: str) -> str:
    """The name without what some systems refuse or drop at its ends."""
    trimmed = name.strip(" ").rstrip(". ")
    if _RESERVED.match(trimmed):
        trimmed = f"_{trimmed}"
    return trimmed.encode()[:MAX_NAME_BYTES].decode(errors="ignore").rstrip(". ") or "download"

"""Which stored types a browser may open in our origin, and how the others are kept from acting there.

Sources: WHATWG MIME Sniffing (nosniff), Content Security Policy 3 s.6.3 (sandbox), RFC 9110 s.8.3. Chromium runs script
in HTML, XHTML, SVG and XML whatever nosniff says; a sandbox without permissions stops all of it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

OCTET_STREAM = "application/octet-stream"

_CONFINED = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'"
_SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
)

_INLINE_FAMILIES = ("audio", "video")
_INLINE = frozenset(
    f"image/{name}"
    for name in ("apng", "avif", "bmp", "gif", "heic", "heif", "jpeg", "jxl", "png", "tiff", "webp", "x-icon")
) | frozenset(
    {
        "application/json",
        "application/vnd.apple.mpegurl",
        "application/x-ndjson",
        "text/csv",
        "text/markdown",
        "text/plain",
        "text/tab-separated-values",
        "text/vtt",
    }
)
_KNOWN_FAMILIES = ("application", "audio", "font", "image", "message", "model", "text", "video")
_SOURCES = frozenset(
    f"application/{name}" for name in ("ecmascript", "javascript", "sql", "toml", "x-javascript", "x-sh", "yaml")
) | frozenset(f"text/{name}" for name in ("css", "ecmascript", "javascript", "yaml"))
_WORD = r"[!#$%&'*+.^`|~\w-]+"  # a token (RFC 9110 s.5.6.2)
_MEDIA_TYPE = re.compile(rf"({_WORD})/({_WORD})", re.ASCII)  # RFC 9110 s.8.3.1
_PARAMETERS = re.compile(rf'(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|"[ !#-\[\]-~]*"))*[ \t]*', re.ASCII)


@dataclass(frozen=True, slots=True)
class ServedType:
    """The Content-Type of an answer, and whether a browser may show it rather than save it."""

    content_type: str
    is_inline: bool

    def security_headers(self) -> tuple[tuple[str, str], ...]:
        """What goes with the file, whatever it holds.

        Sound and film are inert, and a sandboxed page does not count as our own origin: Chromium then refuses to play
        the very file it was opened for.
        """
        is_player = self.content_type.startswith(("audio/", "video/"))
        policy = _CONFINED if is_player else f"sandbox; {_CONFINED}"
        return (("content-security-policy", policy), *_SECURITY_HEADERS)


@lru_cache(maxsize=1024)
def serve_as(media_type: str | None) -> ServedType:
    """How a file of this type is served; there is always a type, since a missing one is sniffed.

    Programs and style sheets are shown as the text they are, which also keeps pages of our origin from loading them,
    as an attachment would not. Active documents (HTML, SVG, XML) and PDF, whose viewer does not run in a sandbox, keep
    their type and are saved. A charset is what was detected: none is added, since a wrong one shows wrong letters.

    >>> serve_as("video/mp4"), serve_as("text/html").is_inline
    (ServedType(content_type='video/mp4', is_inline=True), False)
    >>> serve_as(None)
    ServedType(content_type='application/octet-stream', is_inline=False)
    """
    base, semicolon, rest = (media_type or "").partition(";")
    parameters = semicolon + rest
    match = _MEDIA_TYPE.fullmatch(base.strip(" \t").lower())
    if match is None or match[1] not in _KNOWN_FAMILIES or not _PARAMETERS.fullmatch(parameters):
        return ServedType(OCTET_STREAM, is_inline=False)
    family, served = match[1], match[0]
    if served in _SOURCES or served.startswith("text/x-"):
        served = "text/plain"
    is_inline = served in _INLINE or family in _INLINE_FAMILIES
    return ServedType(served + parameters.rstrip(" \t"), is_inline)

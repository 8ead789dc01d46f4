"""Which stored types a browser may open in our origin, and how the others are kept from acting there.

Sources: WHATWG MIME Sniffing (nosniff), Content Security Policy 3 s.6.3 (sandbox), RFC 9110 s.8.3. Chromium runs script
in HTML, XHTML, SVG and XML whatever nosniff says; a sandbox without permissions stops all of it.
"""

from dataclasses import dataclass

OCTET_STREAM = "application/octet-stream"

SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
)
"""What goes with every stored file."""

_INLINE_FAMILIES = ("audio", "video")
_INLINE = frozenset(
    f"image/{name}"
    for name in ("apng", "avif", "bmp", "gif", "heic", "heif", "jpeg", "jxl", "png", "tiff", "webp", "x-icon")
) | frozenset(
    {
        "application/json",
        "application/x-ndjson",
        "text/csv",
        "text/markdown",
        "text/plain",
        "text/tab-separated-values",
        "text/vtt",
    }
)
_KNOWN_FAMILIES = ("application", "audio", "font", "image", "message", "model", "text", "video")
_SCRIPTS = frozenset({"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript"})


@dataclass(frozen=True, slots=True)
class ServedType:
    """The Content-Type of an answer, and whether a browser may show it rather than save it."""

    content_type: str
    is_inline: bool


def serve_as(media_type: str | None) -> ServedType:
    """How a file of this type is served; there is always a type, since a missing one is sniffed.

    Programs are shown as the text they are, which also keeps them from being loaded as a script. Active documents
    (HTML, SVG, XML) and PDF, whose viewer does not run in a sandbox, keep their type and are saved.

    >>> serve_as("video/mp4"), serve_as("text/html").is_inline
    (ServedType(content_type='video/mp4', is_inline=True), False)
    >>> serve_as(None)
    ServedType(content_type='application/octet-stream', is_inline=False)
    """
    text = media_type or OCTET_STREAM
    base, _, parameters = text.partition(";")
    base = base.strip().lower()
    family = base.partition("/")[0]
    if family not in _KNOWN_FAMILIES or not text.isascii() or not text.isprintable():
        return ServedType(OCTET_STREAM, is_inline=False)
    if base in _SCRIPTS or (family == "text" and base.startswith("text/x-")):
        base = "text/plain"
    parameters = parameters.strip()
    content_type = f"{base}; {parameters}" if parameters else base
    return ServedType(content_type, is_inline=base in _INLINE or family in _INLINE_FAMILIES)

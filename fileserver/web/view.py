"""A file of a folder as browsers show it by themselves, for whoever has no scripts; where they run they show it better.

All of it stands in a `noscript`: where scripts run nothing of it is loaded, or seen for a moment.
"""

import codecs
from dataclasses import dataclass
from typing import Final

from fileserver.web.html import Html, element, escape, opening
from fileserver.web.listing import human_size

TEXT_SIZE: Final = 64 * 1024
"""Bytes of a text that are shown."""

_PICTURES: Final = frozenset(
    f"image/{name}" for name in ("png", "jpeg", "gif", "webp", "avif", "svg+xml", "bmp", "apng", "x-icon")
)
_TEXTS: Final = frozenset(
    f"application/{name}" for name in ("json", "x-ndjson", "xml", "yaml", "toml", "javascript", "sql", "x-sh")
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file, its addresses, and what is known of it: `size` in bytes, `modified` in UTC (RFC 3339).

    `preview_href` is a picture of it that every browser shows, where one can be made. `text` is its beginning, where it
    is a text; `is_whole` whether that is all.
    """

    name: str
    media_type: str | None
    size: int
    modified: str
    href: str
    download_href: str
    folder_href: str
    preview_href: str | None = None
    text: bytes | None = None
    is_whole: bool = True


def is_text(media_type: str | None) -> bool:
    """Whether a file of this type can be read as it is."""
    base = _base(media_type)
    return base.startswith("text/") or base in _TEXTS or (base.endswith(("+json", "+xml")) and base not in _PICTURES)


def view(shown: Shown) -> Html:
    """The file as an element."""
    return element(
        "noscript",
        element(
            "article",
            element("header", element("h2", element("bdi", shown.name)), *_ways(shown), class_="plain-view-bar"),
            _content(shown),
            element("p", _facts(shown), class_="plain-view-facts"),
            class_="plain-view",
            aria_label=shown.name,
        ),
    )


def _ways(shown: Shown) -> tuple[Html, Html]:
    return (
        element("a", "Download", href=shown.download_href, class_="button main"),
        element("a", "Close", href=shown.folder_href, class_="button"),
    )


def _content(shown: Shown) -> Html:
    base = _base(shown.media_type)
    if base in _PICTURES:
        return opening("img", src=shown.href, alt=shown.name)
    if base.startswith("image/") and shown.preview_href:
        return opening("img", src=shown.preview_href, alt=shown.name)
    if base.startswith("video/"):
        return element("video", src=shown.href, controls=True, preload="metadata", aria_label=shown.name)
    if base.startswith("audio/"):
        return element("audio", src=shown.href, controls=True, preload="metadata", aria_label=shown.name)
    if shown.text is not None:
        return _text(shown.text, shown)
    return Html()


def _text(text: bytes, shown: Shown) -> Html:
    lines = _decoded(text, shown.media_type or "").splitlines()
    shown_lines = Html("\n".join(escape(line.replace("\t", "    ")) for line in lines))
    rest = element("p", "This is the beginning. ", element("a", "Download all of it", href=shown.download_href), ".")
    return Html(element("pre", shown_lines) + ("" if shown.is_whole else rest))


def _decoded(text: bytes, media_type: str) -> str:
    """Text by the charset that its media type names; what cannot be read is replaced.

    >>> _decoded(b"caf\\xe9", 'text/plain; charset="ISO-8859-1"'), _decoded(b"caf\\xe9", "text/plain; charset=hex")
    ('café', 'caf\ufffd')
    """
    _, _, charset = media_type.lower().partition("charset=")
    try:
        found = codecs.lookup(charset.partition(";")[0].strip(' "') or "utf-8")
        return text.decode(found.name if found._is_text_encoding else "utf-8", "replace").removeprefix("\ufeff")
    except LookupError:
        return text.decode("utf-8", "replace")


def _facts(shown: Shown) -> str:
    facts = (human_size(shown.size), shown.media_type, f"{shown.modified[:10]} {shown.modified[11:16]} UTC")
    return " · ".join(fact for fact in facts if fact)


def _base(media_type: str | None) -> str:
    return (media_type or "").partition(";")[0].strip().lower()

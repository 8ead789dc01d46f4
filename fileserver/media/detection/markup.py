"""Whether bytes begin as a document that a browser would run: HTML, XHTML, SVG or other XML.

Source: WHATWG MIME Sniffing s.7.1 (the tags that make an unknown resource HTML), XML 1.0 s.2.8 (what may stand before
the root element). Whatever comes first decides; what stands in the middle of other text does not.
"""

import codecs
import re

HTML = "text/html"
XHTML = "application/xhtml+xml"
SVG = "image/svg+xml"
XML = "application/xml"

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_XML_DECLARATION = re.compile(r"<\?xml\s")
_SKIPPED = re.compile(r"\s+|<!--.*?-->|<\?.*?>|<!doctype\s[^<>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_DOCTYPE = re.compile(r"<!doctype\s+(\w+)", re.IGNORECASE)
_TAG = re.compile(r"<(?:[\w.-]+:)?([a-z][\w.-]*)(?=[\s/>]|$)", re.IGNORECASE)

_DIALECTS = {
    "rss": "application/rss+xml",
    "feed": "application/atom+xml",
    "kml": "application/vnd.google-earth.kml+xml",
    "gpx": "application/gpx+xml",
    "tt": "application/ttml+xml",
    "mpd": "application/dash+xml",
    "playlist": "application/xspf+xml",
    "opml": "text/x-opml",
    "fictionbook": "application/x-fictionbook+xml",
    "stylesheet": "application/xslt+xml",
    "smil": "application/smil+xml",
    "sami": "application/x-sami",
    "math": "application/mathml+xml",
    "collada": "model/vnd.collada+xml",
    "score-partwise": "application/vnd.recordare.musicxml+xml",
    "plist": "application/x-plist",
    "x3d": "model/x3d+xml",
    "urlset": "application/xml",
}
"""By the name of the root element, in lower case. Browsers save them, or are shown them as the text they are."""

_DOCUMENT_TAGS = frozenset({"html", "head", "body", "script", "iframe", "style", "title", "meta", "link", "base"})
_PHRASE_TAGS = frozenset({"a", "b", "br", "div", "font", "h1", "p", "table"})  # the rest of s.7.1: common in Markdown


def markup_type(head: bytes, *, is_markdown: bool = False) -> str | None:
    """The active type that a file beginning with `head` has, or None where it begins as something else.

    Markdown may begin with a paragraph or a heading in HTML (CommonMark s.4.6), yet not with a document.

    >>> markup_type(b"<!-- x --><script>"), markup_type(b"a <script>"), markup_type(b"<svg/>")
    ('text/html', None, 'image/svg+xml')
    >>> markup_type(b"<p>Hello"), markup_type(b"<p>Hello", is_markdown=True)
    ('text/html', None)
    """
    text = _decoded(head).lstrip()
    root = _root(text)
    if _XML_DECLARATION.match(text):
        return {"html": XHTML, "svg": SVG}.get(root, XML)
    doctype = _DOCTYPE.match(text)
    if root == "svg":
        return SVG
    if root in _DOCUMENT_TAGS or (doctype and doctype[1].lower() == "html"):
        return HTML
    return HTML if root in _PHRASE_TAGS and not is_markdown else None


def xml_dialect(head: bytes) -> str | None:
    """The type of XML that the root element of `head` is of; None where that is none of the known ones.

    >>> xml_dialect(b"<rss version='2.0'>"), xml_dialect(b"<a/>")
    ('application/rss+xml', None)
    """
    return _DIALECTS.get(_root(_decoded(head).lstrip()))


def is_xml_like(head: bytes) -> bool:
    """Whether the first thing in `head` is a tag of some kind."""
    return _decoded(head).lstrip().startswith("<")


def _decoded(head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace")
    return head.decode("latin-1")  # every encoding that matters here writes tags as ASCII does


def _root(text: str) -> str:
    """The name of the first element, in lower case and without its prefix; empty where something else comes first."""
    place = 0
    while skipped := _SKIPPED.match(text, place):
        place = skipped.end()
    tag = _TAG.match(text, place)
    return tag[1].lower() if tag else ""

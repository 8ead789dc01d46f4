"""What all pages share: the frame, the style, and the headers that keep a page to itself.

Source: Content Security Policy 3 s.2.3.1 (hash sources): the one style sheet stands in the page and is allowed by its
hash, so that a page is a single answer and nothing that slips into it can run or load.
"""

import hashlib
from base64 import b64encode
from importlib.resources import files

from fileserver.web.html import Html, element, joined, opening

_STYLE = Html(files(__package__).joinpath("page.css").read_text("utf-8"))
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    "default-src 'none'",
    f"style-src 'sha256-{_STYLE_HASH}'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def page_headers() -> tuple[tuple[str, str], ...]:
    """The headers that go with every page made by `page`."""
    return (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "; ".join(_POLICY)),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
    )


def page(title: str, *content: Html, head: Html | None = None) -> str:
    """A whole document around `content`."""
    return joined(
        Html("<!doctype html>\n"),
        opening("html", lang="en"),
        element(
            "head",
            opening("meta", charset="utf-8"),
            opening("meta", name="viewport", content="width=device-width, initial-scale=1"),
            opening("meta", name="color-scheme", content="light dark"),
            element("title", title),
            head or "",
            element("style", _STYLE),
        ),
        Html("\n"),
        element("body", element("main", *content)),
        Html("</html>\n"),
    )

"""What all pages share: the frame, the addresses of their parts, and the headers that keep a page to itself.

Source: Content Security Policy 3. Scripts and styles come from this origin alone and never stand in the page, so that
nothing that slips into it can run, load or send.
"""

import json

from fileserver.web.assets import MAIN, STYLESHEET, asset_prefix, assets
from fileserver.web.html import Html, element, joined, opening
from fileserver.web.icons import ICONS

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",  # what Media Source Extensions play has a blob's address
    "connect-src 'self'",
    "frame-src 'self' blob:",  # documents are shown from memory: those of strangers are served as attachments
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_GROUNDS = (("light", "#ffffff"), ("dark", "#131518"))
"""The colours of the page's ground, as in `styles/tokens.css`: a phone paints its own bars with them."""


def page_headers() -> tuple[tuple[str, str], ...]:
    """The headers that go with every page made by `page`."""
    return (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "; ".join(_POLICY)),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
    )


def page(title: str, *content: Html, base: str, head: Html | None = None, flags: tuple[str, ...] = ()) -> str:
    """A whole document around `content`, which is its body; `base` is the path of the application, with its slash.

    `flags` are what its scripts have to know of the server: `may-write`, `has-media`.
    """
    prefix = asset_prefix(base)
    data = {f"data-{flag}": True for flag in flags}
    return joined(
        Html("<!doctype html>\n"),
        Html(f"{opening('html', lang='en', data_root=base, **data)}\n"),
        element("head", *_head(title, prefix), head or ""),
        Html("\n"),
        element("body", ICONS, *content),
        Html("</html>\n"),
    )


def scripts(base: str) -> Html:
    """The elements that make a page an application: the modules of its first view are fetched all at once."""
    prefix = asset_prefix(base)
    preloads = (opening("link", rel="modulepreload", href=prefix + path) for path in assets().first_modules)
    return joined(*preloads, element("script", type="module", src=prefix + MAIN))


def data_block(name: str, value: object) -> Html:
    """A value for the page's scripts, as JSON that no text in it can end (WHATWG HTML s.4.12.1.3)."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    return Html(f'<script type="application/json" id="{name}">{text}</script>')


def problem_page(status: int, title: str, detail: str, base: str) -> str:
    """An error as a person reads it, with a way back to the start."""
    return page(
        title,
        element(
            "main",
            element("p", str(status), class_="problem-status"),
            element("h1", title),
            element("p", detail, class_="problem-detail"),
            element("p", element("a", "Back to the files", href=base, class_="button main")),
            class_="problem",
        ),
        base=base,
    )


def _head(title: str, prefix: str) -> tuple[Html, ...]:
    themes = (
        opening("meta", name="theme-color", media=f"(prefers-color-scheme: {scheme})", content=colour)
        for scheme, colour in _GROUNDS
    )
    return (
        opening("meta", charset="utf-8"),
        opening("meta", name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        opening("meta", name="color-scheme", content="light dark"),
        *themes,
        element("title", title),
        opening("link", rel="icon", href=f"{prefix}icon.svg"),
        opening("link", rel="stylesheet", href=prefix + STYLESHEET),
    )

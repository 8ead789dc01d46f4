"""The page that shows the API and lets a person try it: Swagger UI, served from here.

Its files are vendored as they were published (`static/vendor/VENDORED.toml` says which, with their digests). The PyPI
packages of them (fastapi-swagger, fastapi-offline, swagger-ui-bundle) are releases to years behind and lack the NOTICE
that goes with the licence. Nothing is loaded from elsewhere; no script stands in the page.
"""

from pathlib import Path

from fileserver.web.html import Html, element, joined, opening

STATIC = Path(__file__).parent / "static"
"""The folder to serve at the page's `asset_prefix`."""

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",  # the signs in Swagger UI's style sheet; answers that are pictures
    "media-src blob:",  # answers that play
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)


def docs_headers() -> tuple[tuple[str, str], ...]:
    """The headers that go with `docs_page`."""
    return (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "; ".join(_POLICY)),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
    )


def docs_page(openapi_href: str, asset_prefix: str) -> str:
    """The page for the OpenAPI document at `openapi_href`; `asset_prefix` is where `STATIC` is, with its slash."""
    return joined(
        Html("<!doctype html>\n"),
        opening("html", lang="en"),
        element(
            "head",
            opening("meta", charset="utf-8"),
            opening("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", "API"),
            opening("link", rel="icon", href=f"{asset_prefix}icon.svg"),
            opening("link", rel="stylesheet", href=f"{asset_prefix}vendor/swagger-ui.css"),
            opening("link", rel="stylesheet", href=f"{asset_prefix}docs.css"),
            element("script", src=f"{asset_prefix}vendor/swagger-ui-bundle.js", defer=True),
            element("script", src=f"{asset_prefix}docs.js", defer=True),
        ),
        Html("\n"),
        element(
            "body",
            element("div", id="docs", data_openapi=openapi_href),
            element(
                "noscript",
                "This page needs JavaScript. The API it shows is in ",
                element("a", openapi_href, href=openapi_href),
            ),
        ),
        Html("</html>\n"),
    )

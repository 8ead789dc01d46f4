"""The page that shows the API and lets a person try it: Swagger UI, served from here.

Its files are vendored as they were published (`static/vendor/VENDORED.toml` says which, with their digests). The PyPI
packages of them (fastapi-swagger, fastapi-offline, swagger-ui-bundle) are releases to years behind and lack the NOTICE
that goes with the licence. Nothing is loaded from elsewhere; no script stands in the page.
"""

from fileserver.web.assets import asset_prefix
from fileserver.web.html import Html, element, joined, opening

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


def docs_page(base: str) -> str:
    """The page for the OpenAPI document of the application at the path `base`, which ends in a slash."""
    prefix, openapi_href = asset_prefix(base), f"{base}openapi.json"
    return joined(
        Html("<!doctype html>\n"),
        opening("html", lang="en"),
        element(
            "head",
            opening("meta", charset="utf-8"),
            opening("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", "API"),
            opening("link", rel="icon", href=f"{prefix}icon.svg"),
            opening("link", rel="stylesheet", href=f"{prefix}vendor/swagger-ui-dist/swagger-ui.css"),
            opening("link", rel="stylesheet", href=f"{prefix}docs.css"),
            element("script", src=f"{prefix}vendor/swagger-ui-dist/swagger-ui-bundle.js", defer=True),
            element("script", src=f"{prefix}docs.js", defer=True),
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

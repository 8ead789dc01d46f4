"""A browser that knows no site but the one that a test makes of answers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from fileserver.web.assets import asset_prefix, assets

SITE = "http://site.test"

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Site:
    """Pages at paths of `SITE`; every request of the browser is answered from here and remembered."""

    page: Page
    answers: dict[str, tuple[str | bytes, dict[str, str]]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the browser wrote to its console: errors of scripts, and what the policy refused."""

    def serve(self, path: str, body: str, headers: Headers) -> None:
        """Answer a path with a page."""
        self.answers[path] = (body, dict(headers))

    def serve_assets(self, base: str) -> None:
        """Answer for what the pages below a path are made of."""
        for path, asset in assets().by_path.items():
            self.answers[f"{asset_prefix(base)}{path}"] = (asset.content, {"content-type": asset.media_type})

    def answer(self, route: Route) -> None:
        """Answer one request: 404 for what is not served, 204 for what is sent."""
        self.requests.append(route.request)
        path = route.request.url.removeprefix(SITE).partition("?")[0]
        if route.request.method != "GET" or path == "/favicon.ico":
            route.fulfill(status=204)
        elif path in self.answers:
            body, headers = self.answers[path]
            route.fulfill(status=200, body=body, headers=headers)
        else:
            route.fulfill(status=404)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. It ends with the module: while it lives no asyncio test can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


Visit = Callable[..., Site]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a site of one's own, where the pages find their assets: `visit(width=375, java_script_enabled=False)`."""
    with ExitStack() as stack:

        def open_site(*, width: int = 1100, java_script_enabled: bool = True) -> Site:
            context = stack.enter_context(browser.new_context(java_script_enabled=java_script_enabled))
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": 800})
            site = Site(page)
            page.on("console", lambda message: site.complaints.append(message.text))
            page.on("pageerror", lambda error: site.complaints.append(str(error)))
            page.route("**/*", lambda route: site.answer(route))
            site.serve_assets("/")
            return site

        yield open_site

"""What several journeys need: a browser, a film shelf, pages on the server's own origin."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.media import Sample, make_samples
from tests.support.server import Server

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. It ends with the module: while it lives no asyncio test can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a context of its own."""
    with browser.new_context(accept_downloads=True) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def samples(server: Server) -> dict[str, Sample]:
    """Films and sounds in the shared server's folder, by name, which is their key as well."""
    return make_samples(server.root)

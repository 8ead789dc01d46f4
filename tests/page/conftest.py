"""The page in a real browser, on a desk and in a hand, over a folder of the test module's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.server import Server, running_server

expect.set_options(timeout=20_000)  # a machine that has much to do is no fault of the page

Site = Server

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
HAND: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
)
_STATUS = "Failed to load resource"
"""What Chromium writes of each answer that is no 2xx: pages ask for what may not be there."""

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium. It ends with the module: while it lives no asyncio test can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A writable server over a folder of its own, for the tests of one module."""
    with running_server(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an empty page: `visit(HAND, java_script_enabled=False)`. A script that fails fails the test, and so does
    whatever the page's own policy refused."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def opened(device: dict[str, Any] = DESK, **options: Any) -> Page:
            context: BrowserContext = stack.enter_context(browser.new_context(**{**device, **options}))
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        yield opened
    assert [text for text in complaints if not text.startswith(_STATUS)] == []


@pytest.fixture
def desktop(visit: Visit) -> Page:
    """A page on a desk."""
    return visit(DESK)


@pytest.fixture
def phone(visit: Visit) -> Page:
    """A page in a hand."""
    return visit(HAND)

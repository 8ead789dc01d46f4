"""The main views of the page, and how a person comes to each: what is looked at by axe, and what is photographed.

Their folder is the one of `tests/support/showcase.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from playwright.sync_api import Page, expect

_PHOTOS = "Photos/Iceland/"
_TABLE = "cabin sensors.csv"


@dataclass(frozen=True, slots=True)
class View:
    """A view by its address below /files/, and what is done there until it is seen."""

    name: str
    path: str
    show: Callable[[Page], None]


def _listed(page: Page) -> None:
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def _as_grid(page: Page) -> None:
    _listed(page)
    page.keyboard.press("Escape")
    if page.get_by_role("button", name="Show as a grid").is_visible():
        page.get_by_role("button", name="Show as a grid").click()
    else:
        page.get_by_role("button", name="View and order").click()
        page.get_by_role("menuitemradio", name="Grid").click()
    page.wait_for_function("!document.querySelector('.browse-picture:not(:has(img))')")


def _selected(page: Page) -> None:
    _listed(page)
    page.locator("[role=row][data-key]").nth(1).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("2 selected")).to_be_visible()


def _menu(page: Page) -> None:
    _listed(page)
    page.get_by_role("button", name=re.compile("^More for Reports")).click()
    expect(page.get_by_role("menu")).to_be_visible()


def _rename(page: Page) -> None:
    _menu(page)
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _searched(page: Page) -> None:
    expect(page.get_by_role("row").filter(has_text="Harbour at dawn.mp4")).to_be_visible()


def _nothing(page: Page) -> None:
    expect(page.get_by_role("heading", name=re.compile("empty|Nothing"))).to_be_visible()


def _picture(page: Page) -> None:
    page.wait_for_function("[...document.querySelectorAll('.view img')].some((image) => image.naturalWidth > 600)")


def _film(page: Page) -> None:
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")


def _paused_film(page: Page) -> None:
    _film(page)
    page.evaluate("() => { const film = document.querySelector('video'); film.pause(); film.currentTime = 3; }")
    page.wait_for_function(
        "document.querySelector('video').readyState >= 2 && !document.querySelector('video').seeking"
    )


def _code(page: Page) -> None:
    expect(page.get_by_text("Count the words of a text.")).to_be_visible()


def _log(page: Page) -> None:
    expect(page.get_by_role("log").or_(page.locator(".view-log"))).to_contain_text("gateway")


def _grid(page: Page) -> None:
    expect(page.get_by_text("0000001").first).to_be_visible()


def _transformed(page: Page) -> None:
    _grid(page)
    page.get_by_role("button", name="Transform").first.click()
    expect(page.get_by_role("button", name="Add step")).to_be_visible()
    expect(page.get_by_text("0000001").last).to_be_visible()


def _details(page: Page) -> None:
    _picture(page)
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_text("SHA-256").first).to_be_visible()


def _queue(page: Page) -> None:
    _listed(page)
    page.get_by_role("button", name=re.compile("^More for 01")).click()
    page.get_by_role("menuitem", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


VIEWS = (
    View("folder", "", _listed),
    View("photos", _PHOTOS, _as_grid),
    View("selection", _PHOTOS, _selected),
    View("menu", "", _menu),
    View("rename", "", _rename),
    View("search", "?search=harbour", _searched),
    View("empty", "Inbox/", _nothing),
    View("picture", f"{_PHOTOS}?view={quote('02 Skógafoss.jpg')}", _picture),
    View("details", f"{_PHOTOS}?view={quote('02 Skógafoss.jpg')}", _details),
    View("film", f"Films/?view={quote('Harbour at dawn.mp4')}", _paused_film),
    View("music", "Music/North%20lines/", _queue),
    View("code", "Code/?view=common_words.py", _code),
    View("log", "Reports/?view=gateway.log", _log),
    View("table", f"Reports/?view={quote(_TABLE)}", _grid),
    View("transform", f"Reports/?view={quote(_TABLE)}", _transformed),
    View("missing", "nowhere/", lambda page: expect(page.get_by_role("heading")).to_be_visible()),
)

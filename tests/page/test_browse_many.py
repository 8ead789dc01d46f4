"""A folder of a hundred thousand files: the document stays small, and nothing waits for all of them."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Site

COUNT = 100_000
_PATIENCE_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def shelf(site: Site) -> None:
    """Very many empty files."""
    folder = site.root / "many"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"file {number}").touch()


def test_a_hundred_thousand_files_are_scrolled_sorted_filtered_and_selected(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/many/")
    grid = desktop.get_by_role("grid")
    expect(desktop.get_by_role("row", name="file 0, ")).to_be_visible()
    expect(grid).to_have_attribute("aria-rowcount", str(COUNT + 1), timeout=_PATIENCE_MS)
    assert desktop.locator(".browse-row").count() < 60
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("End")
    expect(desktop.get_by_role("row", name="file 99999, ")).to_be_focused()
    expect(desktop.get_by_role("row", name="file 99999, ")).to_be_in_viewport(ratio=1)
    _measured(desktop)
    assert desktop.locator(".browse-row").count() < 60
    desktop.get_by_role("button", name="Name").click()
    expect(desktop.get_by_role("columnheader", name="Name")).to_have_attribute(
        "aria-sort", "descending", timeout=_PATIENCE_MS
    )
    desktop.evaluate("scrollTo(0, 0)")
    expect(desktop.get_by_role("row", name="file 99999, ")).to_be_in_viewport(timeout=_PATIENCE_MS)
    desktop.get_by_role("searchbox").fill("4711")
    expect(desktop.get_by_role("row", name="file 94711, ")).to_be_visible()
    assert desktop.locator(".browse-row").count() < 60
    desktop.get_by_role("searchbox").fill("")
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("Control+a")
    expect(desktop.get_by_role("toolbar").get_by_role("status")).to_have_text("100,000 selected")


def _measured(page: Page) -> None:
    """Scroll through all of it, and keep how long frames took for those who want to know."""
    frames = page.evaluate("""() => new Promise((resolve) => {
        const times = []; let last = performance.now(); let top = 0;
        const step = (now) => {
          times.push(now - last); last = now; top += 30000; scrollTo(0, top);
          if (top < document.documentElement.scrollHeight) requestAnimationFrame(step);
          else resolve(times.slice(1).sort((one, other) => one - other));
        };
        requestAnimationFrame(step);
      })""")
    print(json.dumps({"frames": len(frames), "median_ms": frames[len(frames) // 2], "longest_ms": frames[-1]}))

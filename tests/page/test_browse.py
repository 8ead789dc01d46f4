"""Somebody walks through folders, looks for files and selects some: by mouse and by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site, Visit

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("Zebra.txt", "alpha.txt", "photo10.jpg", "photo2.jpg", "Budget.csv")


@pytest.fixture(scope="module", autouse=True)
def shelf(site: Site) -> None:
    """A few files and folders, one of them deep."""
    deep = site.root / "Documents" / "Taxes" / "2024" / "Receipts"
    deep.mkdir(parents=True)
    (deep / "train ticket.txt").write_text("one way")
    (site.root / "Music").mkdir()
    (site.root / "Empty").mkdir()
    for size, name in enumerate(NAMES, 1):
        (site.root / name).write_bytes(b"x" * size * 1000)
    (site.root / "long").mkdir()
    for number in range(300):
        (site.root / "long" / f"file {number}.txt").touch()


def test_the_rows_do_not_move_when_the_scripts_take_over(site: Site, visit: Visit) -> None:
    plain, live = visit(java_script_enabled=False, timezone_id="UTC"), visit(timezone_id="UTC")
    for page in (plain, live):
        page.goto(f"{site.url}/files/long/")
        expect(page.get_by_role("row", name="file 7.txt").first).to_be_visible()
    places = _places(live.locator(".browse-row"))
    form_height = (plain.locator(".browse-form").bounding_box() or {"height": 0})["height"]
    before = _places(plain.locator(".browse-row"), shift=form_height)
    assert len(places) > 10
    assert places == before[: len(places)]


def test_folders_come_first_and_numbers_by_their_value(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    assert _names(desktop) == [
        "Documents", "Empty", "long", "Music", "alpha.txt", "Budget.csv", "photo2.jpg", "photo10.jpg", "Zebra.txt",
    ]  # fmt: skip


def test_a_column_sorts_both_ways_and_the_order_is_remembered(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    head = desktop.get_by_role("columnheader", name="Size")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert _names(desktop)[4:] == list(NAMES)
    head.get_by_role("button").click()
    desktop.reload()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert _names(desktop)[4:] == list(reversed(NAMES))


def test_the_browser_goes_back_to_where_one_was(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/long/")
    row = desktop.get_by_role("row", name="file 150.txt")
    expect(desktop.get_by_role("row", name="file 0.txt")).to_be_visible()
    desktop.evaluate("scrollTo(0, 6500)")
    expect(row).to_be_in_viewport()
    desktop.get_by_role("link", name="Files", exact=True).click()
    expect(desktop).to_have_url(f"{site.url}/files/")
    expect(desktop).to_have_title("Files")
    desktop.go_back()
    expect(desktop).to_have_title("long")
    expect(row).to_be_in_viewport()
    desktop.reload()
    expect(row).to_be_in_viewport()


def test_a_deep_folder_is_reached_by_its_address_and_left_by_its_crumbs(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/Documents/Taxes/2024/Receipts/")
    crumbs = desktop.get_by_role("navigation", name="Folders")
    expect(crumbs.get_by_role("heading", level=1)).to_have_text("Receipts")
    crumbs.get_by_role("button", name="Folders between").click()
    desktop.get_by_role("menuitem", name="Documents").click()
    expect(desktop).to_have_url(f"{site.url}/files/Documents/")
    crumbs.get_by_role("link", name="Files", exact=True).click()
    expect(desktop.get_by_role("row", name="Documents")).to_be_focused()


def test_folders_are_walked_through_without_a_mouse(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("row", name="Documents")).to_be_focused()
    desktop.keyboard.type("mus")
    expect(desktop.get_by_role("row", name="Music")).to_be_focused()
    desktop.keyboard.press("Home")
    for title in ("Documents", "Taxes", "2024"):
        desktop.keyboard.press("Enter")
        expect(desktop).to_have_title(title)
        expect(desktop.get_by_role("row").nth(1)).to_be_focused()
    desktop.keyboard.press("Backspace")
    expect(desktop.get_by_role("row", name="2024")).to_be_focused()
    desktop.keyboard.press("Alt+ArrowUp")
    expect(desktop.get_by_role("row", name="Taxes")).to_be_focused()


def test_the_keyboard_goes_through_a_long_folder(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/long/")
    expect(_grid(desktop)).to_have_attribute("aria-rowcount", "301")
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("End")
    last = desktop.get_by_role("row", name="file 299.txt")
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport(ratio=1)
    expect(last).to_have_attribute("aria-rowindex", "301")
    desktop.keyboard.press("PageUp")
    expect(last).not_to_be_focused()
    desktop.evaluate("scrollTo(0, 0)")
    expect(desktop.get_by_role("row", name="file 0.txt")).to_be_visible()
    desktop.keyboard.press("Home")
    expect(desktop.get_by_role("row", name="file 0.txt")).to_be_focused()
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("row", name="file 1.txt")).to_be_in_viewport(ratio=1)


def test_a_focus_that_is_scrolled_away_is_not_lost(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/long/")
    expect(_grid(desktop)).to_be_visible()
    desktop.keyboard.press("ArrowDown")
    desktop.evaluate("scrollTo(0, 9000)")
    expect(desktop.get_by_role("row", name="file 0.txt")).to_have_count(0)
    desktop.keyboard.press("ArrowDown")
    second = desktop.get_by_role("row", name="file 1.txt")
    expect(second).to_be_focused()
    expect(second).to_be_in_viewport(ratio=1)


def test_rows_are_selected_by_mouse(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    _row(desktop, "alpha.txt").click(modifiers=["Control"])
    _row(desktop, "photo10.jpg").click(modifiers=["Shift"])
    assert _selected(desktop) == ["alpha.txt", "Budget.csv", "photo2.jpg", "photo10.jpg"]
    _row(desktop, "photo2.jpg").get_by_role("checkbox").click()
    expect(desktop.get_by_role("toolbar").get_by_role("status")).to_have_text("3 selected")
    desktop.get_by_role("button", name="Select nothing").click()
    assert _selected(desktop) == []
    expect(desktop.get_by_role("toolbar")).to_have_count(0)


def test_a_rectangle_selects_what_it_touches(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    start, end = (_row(desktop, name).locator(".browse-when").bounding_box() for name in ("alpha.txt", "photo2.jpg"))
    assert start is not None
    assert end is not None
    desktop.mouse.move(start["x"] + 20, start["y"] + 5)
    desktop.mouse.down()
    desktop.mouse.move(end["x"] - 60, end["y"] + 10, steps=4)
    desktop.mouse.up()
    assert _selected(desktop) == ["alpha.txt", "Budget.csv", "photo2.jpg"]
    expect(desktop).to_have_url(f"{site.url}/files/")


def test_rows_are_selected_by_keyboard(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("Space")
    desktop.keyboard.press("Shift+ArrowDown")
    desktop.keyboard.press("Shift+ArrowDown")
    assert _selected(desktop) == ["Documents", "Empty", "long"]
    desktop.keyboard.press("Control+a")
    assert len(_selected(desktop)) == 9
    desktop.keyboard.press("Escape")
    assert _selected(desktop) == []


def test_typing_filters_at_once_and_finds_what_lies_deeper(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    desktop.keyboard.press("/")
    field = desktop.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.press_sequentially("TICKET train")
    found = desktop.get_by_role("row", name="train ticket.txt")
    expect(found).to_contain_text("Documents/Taxes/2024/Receipts/")
    expect(desktop).to_have_url(re.compile(r"\?search=TICKET%20train"))
    desktop.reload()
    expect(found).to_be_visible()
    expect(field).to_have_value("TICKET train")
    field.press("Escape")
    expect(desktop.get_by_role("row", name="Music")).to_be_visible()
    expect(desktop).to_have_url(f"{site.url}/files/")


def test_what_is_not_there_is_not_found(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    desktop.get_by_role("searchbox").fill("qqq")
    expect(desktop.get_by_role("heading", name="Nothing found")).to_be_visible()


def test_the_grid_is_walked_through_in_both_directions(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    desktop.get_by_role("button", name="Show as a grid").click()
    expect(desktop.get_by_role("gridcell", name="Documents")).to_be_visible()
    desktop.reload()
    columns = desktop.locator(".browse-line").first.get_by_role("gridcell").count()
    desktop.evaluate("document.activeElement.blur()")
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("ArrowRight")
    expect(desktop.get_by_role("gridcell", name="Empty")).to_be_focused()
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("gridcell").nth(columns + 1)).to_be_focused()
    desktop.get_by_role("button", name="Show as a list").click()
    expect(desktop.get_by_role("row", name="Documents")).to_be_visible()


def test_names_that_are_no_utf8_are_gone_into_seen_and_come_back_to(site: Site, desktop: Page) -> None:
    odd = site.root / "Odd" / "d\udcff\udce9"
    odd.mkdir(parents=True)
    (odd / "caf\udce9 é.txt").write_text("legible")
    desktop.goto(f"{site.url}/files/Odd/")
    desktop.locator(".browse-row[data-key]").click()
    name = desktop.get_by_role("row").filter(has_text="caf� é.txt")
    name.click()
    expect(desktop.get_by_text("legible")).to_be_visible()
    desktop.reload()
    expect(desktop.get_by_text("legible")).to_be_visible()
    desktop.go_back()
    desktop.go_back()
    expect(desktop.locator(".browse-row bdi")).to_have_text(["d��"])
    desktop.go_forward()
    expect(name).to_be_visible()


def test_a_link_to_a_search_that_finds_nothing_says_so(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?search=qqq")
    expect(desktop.get_by_role("heading", name="Nothing found")).to_be_visible()


def test_an_empty_folder_says_so(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/Empty/")
    expect(desktop.get_by_role("heading", name="This folder is empty")).to_be_visible()
    expect(desktop.get_by_role("grid")).to_have_count(0)


def test_a_folder_that_cannot_be_reached_says_so_until_it_can(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    desktop.route("**/files/Music/", lambda route: route.abort())
    _row(desktop, "Music").click()
    expect(desktop.get_by_role("alert")).to_contain_text("The server cannot be reached")
    desktop.unroute("**/files/Music/")
    desktop.get_by_role("button", name="Try again").click()
    expect(desktop.get_by_role("heading", name="This folder is empty")).to_be_visible()


def test_the_keys_are_told(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/")
    expect(_grid(desktop)).to_be_visible()
    desktop.keyboard.press("?")
    dialog = desktop.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Select as you go")
    desktop.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("form", ["list", "grid"])
def test_assistive_technology_is_told_everything(site: Site, desktop: Page, form: str) -> None:
    desktop.goto(f"{site.url}/files/")
    if form == "grid":
        desktop.get_by_role("button", name="Show as a grid").click()
    desktop.keyboard.press("Control+a")
    desktop.evaluate(AXE.read_text())
    found = desktop.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"
    )
    assert found == []


def _grid(page: Page) -> Locator:
    return page.get_by_role("grid")


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=name)


def _names(page: Page) -> list[str]:
    return page.locator(".browse-row bdi").all_inner_texts()


def _selected(page: Page) -> list[str]:
    return page.locator("[aria-selected=true] bdi").all_inner_texts()


def _places(rows: Locator, *, shift: float = 0) -> list[tuple[str, float, float]]:
    """The text of each row, where it begins and how high it is; without what scripts add to it."""
    script = """(rows) => rows.map((row) => {
      const { top, height } = row.getBoundingClientRect();
      const texts = [...row.querySelectorAll("bdi, .browse-size, .browse-when")].map((cell) => cell.textContent.trim());
      const left = row.querySelector("bdi").getBoundingClientRect().left;
      return [[...texts, left].join("|"), top, height];
    })"""
    return [(text, top - shift, height) for text, top, height in rows.evaluate_all(script)]

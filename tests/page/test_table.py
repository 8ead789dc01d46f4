"""Stored tables as grids: any of a million rows, what is known of columns, keys, fingers and the clipboard."""

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import HAND, Site, Visit

MILLION = 1_000_000
ODD = 'id,"<b>name</b>",note\n007,<img src=x onerror=document.title=1>,"two\nlines"\n 8 ,"","say ""hi"""\n9,,last\n'
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="module", autouse=True)
def _tables(site: Site) -> None:
    lines = "".join(f"{number},{number * number},row {number}\n" for number in range(MILLION))
    (site.root / "million.csv").write_text(f"number,square,text\n{lines}", encoding="utf-8")
    (site.root / "odd.csv").write_text(ODD, encoding="utf-8")
    (site.root / "wide.csv").write_text(
        "".join(",".join(f"{row}x{column}" for column in range(400)) + "\n" for row in range(50)), encoding="utf-8"
    )
    (site.root / "deutsch.csv").write_bytes("Köln;1\nMünchen;2\n".encode("cp1252"))
    (site.root / "empty.csv").write_bytes(b"")


def opened(page: Page, site: Site, name: str, more: str = "") -> Locator:
    """The grid of a table, with its first row."""
    page.goto(f"{site.url}/files/?view={quote(name)}{more}")
    grid = page.get_by_role("grid", name=f"Rows of {name}")
    expect(grid.get_by_role("rowheader", name="1", exact=True)).to_be_visible()
    return grid


def row_of(grid: Locator, number: str) -> Locator:
    """The row of this number, when it is seen."""
    return grid.get_by_role("row").filter(has=grid.page.get_by_role("rowheader", name=number, exact=True))


def active(grid: Locator) -> str:
    """What the active cell says."""
    name = grid.get_attribute("aria-activedescendant")
    assert name, "no cell is active"
    return grid.page.locator(f"#{name}").inner_text()


def test_any_of_a_million_rows_is_a_moment_away(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "million.csv")
    expect(desktop.get_by_text("1,000,000 rows")).to_be_visible()
    expect(grid).to_have_attribute("aria-rowcount", str(MILLION + 1))
    desktop.get_by_role("button", name="Go to row").click()
    desktop.get_by_role("textbox", name="Row, of 1,000,000").fill("777,778")
    desktop.keyboard.press("Enter")
    expect(row_of(grid, "777,778").get_by_role("gridcell").nth(1)).to_have_text(str(777_777**2))
    desktop.keyboard.press("Control+End")
    expect(row_of(grid, "1,000,000").get_by_role("gridcell").last).to_have_text("row 999999")
    assert grid.get_by_role("row").count() < 60


def test_a_number_that_is_no_row_is_refused_before_anything_moves(site: Site, desktop: Page) -> None:
    opened(desktop, site, "million.csv")
    desktop.keyboard.press("Control+g")
    for wrong in ("0", "1000001", "x"):
        desktop.get_by_role("textbox").last.fill(wrong)
        desktop.keyboard.press("Enter")
        expect(desktop.get_by_text("There is no such row")).to_be_visible()


def test_the_wheel_moves_by_rows_and_the_bar_by_hundreds_of_thousands(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "million.csv")
    expect(desktop.get_by_text("1,000,000 rows")).to_be_visible()
    scroller = grid.locator("xpath=ancestor::*[contains(@class, 'table-grid')]")
    scroller.evaluate("bar => { bar.scrollTop = bar.scrollHeight / 2 }")
    middle = grid.get_by_role("rowheader").filter(has_text="500,0")
    expect(middle.first).to_be_visible()
    first = grid.get_by_role("rowheader").filter(visible=True)
    before = min(int(text.replace(",", "")) for text in first.all_inner_texts())
    grid.hover()
    desktop.mouse.wheel(0, 320)
    expect(row_of(grid, f"{before + 20:,}")).to_be_visible()
    after = min(int(text.replace(",", "")) for text in first.all_inner_texts())
    assert 8 <= after - before <= 12


def test_values_are_shown_as_they_are_and_never_as_markup(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "odd.csv")
    cells = [row_of(grid, str(row)).get_by_role("gridcell") for row in (1, 2, 3)]
    assert cells[0].evaluate_all("all => all.map((cell) => cell.textContent)") == [
        "007",
        "<img src=x onerror=document.title=1>",
        "two↵lines",
    ]
    assert cells[1].evaluate_all("all => all.map((cell) => cell.textContent)") == [" 8 ", "", 'say "hi"']
    assert "is-blank" in (cells[1].nth(1).get_attribute("class") or "")
    assert "is-blank" not in (cells[2].nth(1).get_attribute("class") or "")
    expect(grid.get_by_role("columnheader", name="<b>name</b>")).to_be_visible()
    assert desktop.title() != "1"


def test_keys_lead_through_the_cells_and_open_them(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "odd.csv")
    expect(grid).to_be_focused()
    assert active(grid) == "007"
    for key, expected in (("ArrowDown", " 8 "), ("End", 'say "hi"'), ("Control+Home", "007"), ("Control+End", "last")):
        desktop.keyboard.press(key)
        assert active(grid).strip() == expected.strip()
    desktop.keyboard.press("Control+Home")
    desktop.keyboard.press("End")
    desktop.keyboard.press("Enter")
    dialog = desktop.get_by_role("dialog", name="note, row 1")
    expect(dialog.get_by_text("two\nlines")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(grid).to_be_focused()
    assert active(grid) == "two↵lines"


def test_picked_cells_go_to_the_clipboard_as_a_spreadsheet_takes_them(site: Site, visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    grid = opened(page, site, "odd.csv")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(grid.locator("[aria-selected=true]")).to_have_count(4)
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == '<img src=x onerror=document.title=1>\t"two\nlines"\n\t"say ""hi"""'


def test_rows_that_are_not_here_yet_are_fetched_for_the_clipboard(site: Site, visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    grid = opened(page, site, "million.csv")
    for _ in range(60):
        page.keyboard.press("Shift+PageDown")
    expect(grid.locator("[aria-selected=true]").first).to_be_visible()
    last = int((grid.get_attribute("aria-activedescendant") or "").split("-")[-2])
    page.keyboard.press("Control+c")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split("\n") == [str(number) for number in range(last + 1)]
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    expect(page.get_by_text("At most 10,000 rows fit into the clipboard")).to_be_visible()


def test_the_head_of_a_column_tells_what_is_in_it(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "million.csv")
    expect(grid.get_by_role("columnheader", name="square")).to_contain_text("int64")
    grid.get_by_role("button", name="square").click()
    facts = desktop.get_by_role("dialog", name="square")
    expect(facts.get_by_text("39999600001")).to_be_visible()
    facts.get_by_role("button", name="Sort by it").click()
    panel = desktop.get_by_role("dialog", name="Transform million.csv")
    expect(panel.get_by_role("button", name="Sort", exact=True)).to_be_visible()
    expect(panel.get_by_label("The same as a curl line")).to_contain_text("sort=square:int64")


def test_of_many_columns_only_those_that_are_seen_are_there(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "wide.csv")
    expect(grid).to_have_attribute("aria-colcount", "401")
    assert row_of(grid, "1").get_by_role("gridcell").count() < 30
    desktop.keyboard.press("End")
    expect(grid.get_by_role("columnheader", name="0x399")).to_be_visible()
    assert active(grid) == "1x399"


def test_a_column_is_made_wider_by_its_edge_and_by_keys(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "odd.csv")
    head = grid.get_by_role("columnheader", name="id")
    edge = head.get_by_title("Drag to resize id").bounding_box()
    before = head.bounding_box()
    assert edge
    assert before
    desktop.mouse.move(edge["x"] + 5, edge["y"] + 20)
    desktop.mouse.down()
    desktop.mouse.move(edge["x"] + 85, edge["y"] + 20, steps=4)
    desktop.mouse.up()
    dragged = head.bounding_box()
    assert dragged
    assert abs(dragged["width"] - before["width"] - 80) < 3
    grid.focus()
    desktop.keyboard.press("Alt+ArrowRight")
    wider = head.bounding_box()
    assert wider
    assert wider["width"] > dragged["width"] + 20


def test_how_a_table_is_read_can_be_said_and_stays_in_the_address(site: Site, desktop: Page) -> None:
    grid = opened(desktop, site, "deutsch.csv")
    desktop.get_by_role("button", name="How it is read").click()
    desktop.get_by_label("Encoding").select_option("Windows-1252")
    desktop.get_by_label("Separator").select_option("Semicolon")
    desktop.get_by_label("First row").select_option("A row like the others")
    desktop.get_by_role("button", name="Apply").click()
    expect(grid.get_by_role("gridcell", name="Köln", exact=True)).to_be_visible()
    expect(desktop.get_by_text("2 rows")).to_be_visible()
    desktop.reload()
    expect(grid.get_by_role("gridcell", name="Köln", exact=True)).to_be_visible()


def test_what_is_no_table_says_why_and_what_to_do(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?view=empty.csv")
    expect(desktop.get_by_role("heading", name="This cannot be shown as a table")).to_be_visible()
    expect(desktop.get_by_role("button", name="Try again")).to_be_visible()


def test_a_table_that_is_replaced_is_shown_anew(site: Site, desktop: Page) -> None:
    (site.root / "live.csv").write_text("a\nold\n", encoding="utf-8")
    grid = opened(desktop, site, "live.csv")
    expect(grid.get_by_role("gridcell", name="old")).to_be_visible()
    desktop.request.put(f"{site.url}/files/live.csv", data=b"a\nnew\nmore\n", headers={"content-type": "text/csv"})
    expect(grid.get_by_role("gridcell", name="new")).to_be_visible()
    expect(grid.get_by_role("gridcell", name="more")).to_be_visible()
    expect(desktop.get_by_role("button", name="Show the new version")).to_have_count(0)


def test_a_finger_opens_a_cell_by_a_second_tap(site: Site, phone: Page) -> None:
    grid = opened(phone, site, "odd.csv")
    box = row_of(grid, "1").bounding_box()
    assert box
    assert box["height"] >= HAND["device_scale_factor"] * 22
    cell = grid.get_by_role("gridcell", name="007")
    cell.tap()
    expect(cell).to_have_attribute("aria-selected", "true")
    cell.tap()
    expect(phone.get_by_role("dialog", name="id, row 1")).to_be_visible()


def test_a_hand_reaches_every_tool_of_a_table(site: Site, phone: Page) -> None:
    opened(phone, site, "odd.csv")
    for name in ("Go to row", "How it is read", "Transform", "Download", "Details", "More"):
        box = (
            phone.locator(".view-tools")
            .get_by_text(name)
            .or_(phone.get_by_label(name, exact=True))
            .first.bounding_box()
        )
        assert box
        assert box["x"] >= 44, name
        assert box["x"] + box["width"] <= HAND["viewport"]["width"] - 44, name


def test_nothing_keeps_anybody_out_of_a_grid(site: Site, desktop: Page) -> None:
    opened(desktop, site, "odd.csv")
    assert faults_of(desktop) == []


def faults_of(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]

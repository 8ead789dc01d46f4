"""The listing in one hand: taps open, a long press begins to select, what can be done is within the thumb's reach."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site

TARGET_PX = 44  # as large as a finger needs


@pytest.fixture(scope="module", autouse=True)
def shelf(site: Site) -> None:
    """Files and a deep folder."""
    (site.root / "Documents" / "Taxes").mkdir(parents=True)
    (site.root / "Documents" / "Taxes" / "a.txt").write_text("x")
    for name in ("one.txt", "two.txt", f"{'long ' * 20}name.txt"):
        (site.root / name).write_text(name)


def test_folders_are_gone_into_and_out_of(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/files/")
    _row(phone, "Documents").tap()
    _row(phone, "Taxes").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Taxes")
    phone.get_by_role("link", name="Up").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Documents")
    phone.go_back()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Taxes")


def test_a_long_press_begins_to_select_and_taps_add(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/files/")
    _press_long(phone, _row(phone, "one.txt"))
    bar = phone.get_by_role("toolbar")
    expect(bar.get_by_role("status")).to_have_text("1 selected")
    _row(phone, "two.txt").tap()
    expect(bar.get_by_role("status")).to_have_text("2 selected")
    expect(phone).to_have_url(f"{site.url}/files/")
    box = bar.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == 844
    _row(phone, "one.txt").tap()
    _row(phone, "two.txt").tap()
    expect(bar).to_have_count(0)


def test_everything_is_large_enough_for_a_finger(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/files/")
    expect(phone.get_by_role("grid")).to_be_visible()
    _press_long(phone, _row(phone, "one.txt"))
    sizes = phone.locator("main button:visible, main .browse-box:visible, header button:visible").evaluate_all(
        "(all) => all.map((each) => { const { width, height } = each.getBoundingClientRect();"
        " return [each.getAttribute('aria-label') ?? each.className, Math.min(width, height)]; })"
    )
    assert len(sizes) > 8
    assert [each for each in sizes if each[1] < TARGET_PX - 0.5] == []


def test_the_page_is_never_wider_than_the_hand(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/files/")
    expect(phone.get_by_role("grid")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.get_by_role("button", name="View and order").tap()
    phone.get_by_role("menuitemradio", name="Grid").tap()
    expect(phone.get_by_role("gridcell", name="one.txt")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_search_takes_the_bar_and_gives_it_back(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/files/")
    phone.get_by_role("button", name="Search in this folder").tap()
    field = phone.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.fill("a.txt")
    expect(_row(phone, "a.txt")).to_contain_text("Documents/Taxes/")
    phone.get_by_role("button", name="Close search").tap()
    expect(_row(phone, "Documents")).to_be_visible()
    expect(field).to_be_hidden()


def _press_long(page: Page, row: Locator) -> None:
    """A finger stays on the row until it is selected; there is no gesture for that but the touch events themselves."""
    box = row.bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 60, "y": box["y"] + box["height"] / 2}
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(row).to_have_attribute("aria-selected", "true")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row", name=f"{name}, ")

"""The panel that transforms a table step by step: what it shows, what it says of faults, and the ways out of it."""

import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site, Visit

SALES = 'id,city,qty,"unit; price",day\n007,Köln,120,1.50,2026-02-01\n008,"Paris, TX",80,"",2026-02-15\n'
MORE = "009,Köln,12345678901234567890,,2026-02-28\n010,it's Aachen,3,0.99,\n"
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
OPEN = """async ([name, text]) => {
  const assets = document.querySelector("link[rel=stylesheet]").href.replace(/page[.]css$/, "");
  const { openTransform } = await import(`${assets}app/table/transform.js`);
  openTransform({ file: new File([text], name, { type: "text/csv" }) });
}"""
PICKER = """window.showSaveFilePicker = async ({ suggestedName }) =>
  (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });"""


@pytest.fixture(autouse=True)
def _tables(site: Site) -> None:
    (site.root / "reports").mkdir(exist_ok=True)
    (site.root / "reports/sales.csv").write_text(SALES + MORE, encoding="utf-8")
    (site.root / "reports/countries.csv").write_text("city,country\nKöln,DE\n", encoding="utf-8")
    (site.root / "reports/broken.csv").write_text("a,b\n1,2\n3\n5,6\n", encoding="utf-8")


def opened(page: Page, site: Site, name: str = "sales.csv") -> Locator:
    """The panel over a stored table, with its preview."""
    page.goto(f"{site.url}/files/reports/?view={quote(name)}")
    page.get_by_role("button", name="Transform", exact=True).click()
    return page.get_by_role("dialog", name=f"Transform {name}")


def add(panel: Locator, kind: str) -> Locator:
    """A new step of a kind, open."""
    panel.get_by_role("button", name="Add step").click()
    panel.page.get_by_role("menuitem", name=kind, exact=True).click()
    return panel.get_by_role("listitem").filter(has=panel.page.get_by_role("button", name=kind, exact=True)).last


def shown(panel: Locator) -> list[list[str]]:
    """The cells of the preview, as they are seen."""
    rows = panel.get_by_role("grid").get_by_role("row").filter(has=panel.page.get_by_role("gridcell"))
    return [row.get_by_role("gridcell").all_text_contents() for row in rows.all() if row.is_visible()]


def column(panel: Locator, name: str) -> Locator:
    """The head of a column of the preview."""
    return panel.get_by_role("grid").get_by_role("columnheader", name=name, exact=True)


def ran(panel: Locator, folder: Path) -> str:
    """What the curl line of the panel writes, when a shell runs it."""
    line = panel.get_by_label("The same as a curl line").inner_text()
    subprocess.run(["bash", "-c", f"{line} -sS --fail"], cwd=folder, check=True, timeout=30)
    (made,) = [path for path in folder.iterdir() if "transformed" in path.name]
    text = made.read_text("utf-8")
    made.unlink()
    return text


def test_steps_show_what_they_do_and_the_curl_line_does_the_same(site: Site, desktop: Page, tmp_path: Path) -> None:
    panel = opened(desktop, site)
    expect(panel.get_by_role("gridcell", name="12345678901234567890")).to_be_visible()
    step = add(panel, "Filter rows")
    step.get_by_role("combobox", name="Column").select_option("city")
    step.get_by_role("combobox", name="Test").select_option("contains")
    step.get_by_role("textbox", name="Value").fill("'S AACH")
    expect(panel.get_by_text("1 row ·")).to_be_visible()
    assert shown(panel) == [["010", "it's Aachen", "3", "0.99", ""]]
    assert ran(panel, tmp_path) == "id,city,qty,unit; price,day\n010,it's Aachen,3,0.99,\n"
    rename = add(panel, "Rename columns")
    rename.get_by_role("combobox", name="Column").select_option("unit; price")
    rename.get_by_role("textbox", name="New name").fill("price, EUR")
    expect(column(panel, "price, EUR")).to_be_visible()
    assert ran(panel, tmp_path) == 'id,city,qty,"price, EUR",day\n010,it\'s Aachen,3,0.99,\n'


def test_steps_in_an_order_that_no_query_has_are_a_plan_in_the_curl_line(
    site: Site, desktop: Page, tmp_path: Path
) -> None:
    panel = opened(desktop, site)
    first = add(panel, "Limit")
    first.get_by_role("textbox", name="Rows at most").fill("2")
    second = add(panel, "Filter rows")
    second.get_by_role("switch", name="As an expression").check()
    second.get_by_role("textbox", name="Expression").fill("city = 'Köln' and qty > 100")
    expect(panel.get_by_text("1 row ·")).to_be_visible()
    expect(panel.get_by_label("The same as a curl line")).to_contain_text("--data-binary")
    assert ran(panel, tmp_path).count("\n") == 2


def test_groups_sums_and_lookups_are_built_without_a_word_of_sql(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    join = add(panel, "Look up in another table")
    join.get_by_role("combobox", name="Other table, by its path").fill("reports/countries.csv")
    desktop.keyboard.press("Tab")
    join.get_by_role("combobox", name="Our column").or_(join.get_by_role("combobox", name="Column")).first.wait_for()
    join.get_by_role("combobox", name="Our column").select_option("city")
    join.get_by_role("combobox", name="Their column").select_option("city")
    expect(column(panel, "country")).to_be_visible()
    group = add(panel, "Group and count")
    group.get_by_role("checkbox", name="country").check()
    group.get_by_role("button", name="Add aggregate").click()
    group.get_by_role("combobox", name="Column").select_option("unit; price")
    expect(column(panel, "unit; price_sum")).to_be_visible()
    assert sorted(shown(panel)) == [["", "2", "0.99"], ["DE", "2", "1.50"]]


def test_a_fault_stands_at_its_step_and_goes_with_it(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    good = add(panel, "Filter rows")
    good.get_by_role("textbox", name="Value").fill("007")
    expect(panel.get_by_text("1 row ·")).to_be_visible()
    bad = add(panel, "New column")
    bad.get_by_role("textbox", name="Name").fill("total")
    bad.get_by_role("textbox", name="Expression").fill("foo(city)")
    expect(bad.get_by_role("alert")).to_contain_text("There is no function `foo`")
    expect(good.get_by_role("alert")).to_be_hidden()
    bad.get_by_role("textbox", name="Expression").fill("upper(city)")
    expect(panel.get_by_role("gridcell", name="KÖLN")).to_be_visible()
    expect(bad.get_by_role("alert")).to_be_hidden()


def test_a_value_that_is_not_of_the_type_is_told_at_the_cast(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    cast = add(panel, "Change type")
    cast.get_by_role("combobox", name="Column").select_option("qty")
    cast.get_by_role("combobox", name="Type").select_option("Whole number")
    expect(cast.get_by_role("alert")).to_contain_text("12345678901234567890")
    cast.get_by_label("A value that is no such thing").select_option("Becomes empty, and is named in _errors")
    expect(column(panel, "_errors")).to_be_visible()


def test_steps_are_moved_switched_off_removed_and_brought_back(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    limit = add(panel, "Limit")
    limit.get_by_role("textbox", name="Rows at most").fill("1")
    sort = add(panel, "Sort")
    sort.get_by_role("combobox", name="Column").select_option("id")
    sort.get_by_role("combobox", name="Order").select_option("Descending")
    expect(panel.get_by_role("gridcell", name="007")).to_be_visible()
    panel.get_by_role("button", name="Sort", exact=True).focus()
    desktop.keyboard.press("Alt+ArrowUp")
    expect(panel.get_by_role("gridcell", name="010")).to_be_visible()
    panel.get_by_role("button", name="More: Limit").click()
    desktop.get_by_role("menuitem", name="Turn off").click()
    expect(panel.get_by_text("4 rows ·")).to_be_visible()
    panel.get_by_role("button", name="Remove: Sort").click()
    expect(panel.get_by_role("button", name="Sort", exact=True)).to_be_hidden()
    for _ in range(3):
        panel.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("gridcell", name="007")).to_be_visible()
    expect(panel.get_by_text("1 row ·")).to_be_visible()


def test_steps_are_still_there_when_the_panel_is_opened_again(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    add(panel, "Limit").get_by_role("textbox", name="Rows at most").fill("2")
    expect(panel.get_by_text("2 rows ·")).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    again = opened(desktop, site)
    expect(again.get_by_text("2 rows ·")).to_be_visible()


def test_rows_that_cannot_be_read_are_left_out_and_listed(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site, "broken.csv")
    fault = panel.get_by_role("alert").filter(has_text="Line 3:")
    expect(fault).to_contain_text("The header has 2 cells, this row 1")
    fault.get_by_role("button", name="Leave such rows out").click()
    panel.get_by_role("button", name="1 row left out").click()
    rejects = desktop.get_by_role("dialog", name="Rows left out")
    expect(rejects.get_by_role("cell", name="the header has 2 cells, this row 1")).to_be_visible()
    with desktop.expect_download() as saving:
        rejects.get_by_role("button", name="Download all as CSV").click()
    assert "this row 1" in saving.value.path().read_text("utf-8")


def test_the_browser_downloads_a_result_by_itself_where_pages_cannot_write_files(site: Site, visit: Visit) -> None:
    page = visit()
    page.add_init_script("delete window.showSaveFilePicker; delete Window.prototype.showSaveFilePicker")
    panel = opened(page, site)
    add(panel, "Limit").get_by_role("textbox", name="Rows at most").fill("1")
    for label, name, begin in (("CSV", "csv", b"id,"), ("JSON", "json", b"["), ("Excel", "xlsx", b"PK")):
        panel.get_by_role("combobox", name="Format").select_option(label)
        with page.expect_download() as saving:
            panel.get_by_role("button", name="Download").click()
        assert saving.value.suggested_filename == f"sales transformed.{name}"
        assert saving.value.path().read_bytes().startswith(begin)
    expect(panel.get_by_text("The browser downloads the result")).to_be_visible()


def test_a_result_is_written_into_a_file_while_it_comes(site: Site, visit: Visit) -> None:
    page = visit()
    page.add_init_script(PICKER)
    panel = opened(page, site)
    panel.get_by_role("combobox", name="Format").select_option("TSV")
    panel.get_by_role("button", name="Download").click()
    expect(panel.get_by_text("sales transformed.tsv is saved")).to_be_visible()
    read = """async (name) => {
      const folder = await navigator.storage.getDirectory();
      return (await (await folder.getFileHandle(name)).getFile()).text();
    }"""
    text = page.evaluate(read, "sales transformed.tsv")
    assert text.startswith("id\tcity\tqty\tunit; price\tday\n007\tKöln\t120")


def test_a_result_that_breaks_off_is_never_taken_for_whole(site: Site, visit: Visit) -> None:
    rows = "".join(f"{number},{'x' * 40}\n" for number in range(400_000))
    (site.root / "reports/late.csv").write_text(f"n,text\n{rows}broken\n", encoding="utf-8")
    page = visit()
    page.add_init_script(PICKER)
    panel = opened(page, site, "late.csv")
    expect(panel.get_by_text("The first 200 rows")).to_be_visible()
    panel.get_by_role("button", name="Download").click()
    fault = panel.get_by_role("alert").filter(has=page.get_by_role("button", name="Try again"))
    expect(fault).to_contain_text("the header has 2 cells, this row 1")


def test_a_result_is_stored_beside_the_table_and_replaces_nothing_unasked(site: Site, desktop: Page) -> None:
    panel = opened(desktop, site)
    add(panel, "Limit").get_by_role("textbox", name="Rows at most").fill("1")
    for _ in range(2):
        panel.get_by_role("button", name="Save in folder").click()
        desktop.get_by_role("textbox", name="Name").fill("first.csv")
        desktop.get_by_role("button", name="Save", exact=True).click()
        replace = desktop.get_by_role("button", name="Replace", exact=True)
        expect(panel.get_by_text("first.csv is saved").or_(replace)).to_be_visible()
        if replace.is_visible():
            assert site.stored()["reports/first.csv"].count(b"\n") == 2
            desktop.get_by_role("button", name="Cancel").click()
        panel.get_by_role("textbox", name="Rows at most").fill("3")
    panel.get_by_role("button", name="Save in folder").click()
    desktop.get_by_role("textbox", name="Name").fill("first.csv")
    desktop.get_by_role("button", name="Save", exact=True).click()
    desktop.get_by_role("button", name="Replace", exact=True).click()
    expect(panel.get_by_text("first.csv is saved")).to_be_visible()
    assert site.stored()["reports/first.csv"].count(b"\n") == 4


def test_a_file_that_is_never_stored_is_transformed_all_the_same(site: Site, visit: Visit) -> None:
    page = visit()
    page.add_init_script("delete window.showSaveFilePicker; delete Window.prototype.showSaveFilePicker")
    page.goto(f"{site.url}/files/")
    before = site.stored().keys()
    text = "n,text\n" + "".join(f"{number},{'y' * 40}\n" for number in range(100_000))
    with page.expect_response(lambda answer: answer.request.method == "POST") as previewed:
        page.evaluate(OPEN, ["mine.csv", text])
    panel = page.get_by_role("dialog", name="Transform mine.csv")
    expect(panel.get_by_text("The first 200 rows")).to_be_visible()
    job = page.request.get(f"{site.url}/jobs/{previewed.value.header_value('transform-id')}").json()
    assert 0 < job["bytes_in"] <= 1_000_000 < len(text)
    step = add(panel, "Filter rows")
    step.get_by_role("textbox", name="Value").fill("99999")
    expect(panel.get_by_text("0 rows of the beginning of the file")).to_be_visible()
    with page.expect_download() as saving:
        panel.get_by_role("button", name="Download").click()
    assert saving.value.path().read_text("utf-8") == f"n,text\n99999,{'y' * 40}\n"
    expect(panel.get_by_text("mine transformed.csv is saved")).to_be_visible()
    assert "-T mine.csv" in panel.get_by_label("The same as a curl line").inner_text()
    assert site.stored().keys() == before


def test_a_select_does_what_steps_cannot(site: Site, desktop: Page, tmp_path: Path) -> None:
    panel = opened(desktop, site)
    panel.get_by_role("button", name="SQL").click()
    field = panel.get_by_role("textbox", name="One SELECT over input")
    field.fill("select city from inputs")
    expect(panel.get_by_role("alert").filter(has_text="no table `inputs`")).to_be_visible()
    field.fill("select count(*) as n\nfrom input -- all of it")
    expect(panel.get_by_role("gridcell", name="4")).to_be_visible()
    assert ran(panel, tmp_path) == "n\n4\n"


def test_a_hand_has_steps_and_preview_in_turn(site: Site, phone: Page) -> None:
    panel = opened(phone, site)
    step = add(panel, "Filter rows")
    step.get_by_role("textbox", name="Value").fill("008")
    panel.get_by_role("button", name="Preview").tap()
    expect(panel.get_by_role("gridcell", name="Paris, TX")).to_be_visible()
    expect(step).to_be_hidden()
    assert phone.evaluate("document.querySelector('dialog.transform').scrollWidth <= innerWidth")
    expect(panel.get_by_role("button", name="Download")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out_of_the_panel(site: Site, visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    panel = opened(page, site)
    for kind in ("Sort", "Group and count", "New column"):
        add(panel, kind)
    panel.get_by_role("button", name="Options of the format").click()
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    assert [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]] == []

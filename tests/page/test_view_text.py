"""Text, code and logs: read in pieces, in their own letters, in colours that are no markup, and as they are written."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Site

_CODE = 'def greet(name: str) -> str:\n    """<b>Doc</b>"""\n    return f"hello {name}"  # why\n'
_JSON = '[{"n":12345678901234567890,"x":1e5,"s":"<script>alert(1)</script>"}%s]'

_LINES = [f"{number} ".ljust(399, ".") for number in range(2700)]


@pytest.fixture(scope="module", autouse=True)
def _files(site: Site) -> None:
    """Texts of each sort."""
    (site.root / "code.py").write_text(_CODE)
    (site.root / "long.txt").write_text("".join(f"{line}\n" for line in _LINES))
    (site.root / "latin.txt").write_bytes("Käse für alle\n".encode("latin-1") * 20)
    (site.root / "wide.txt").write_bytes("weit\n".encode("utf-16"))
    (site.root / "empty.txt").touch()
    (site.root / "small.json").write_text(_JSON % (',{"more":[]}' * 100))


@pytest.fixture
def log(site: Site) -> Iterator[None]:
    """A log of fifty lines."""
    path = site.root / "app.log"
    path.write_text("".join(f"INFO line {number}\n" for number in range(1, 51)))
    yield
    path.unlink()


def view(page: Page, site: Site, name: str) -> Locator:
    """The text of a file, opened by its address."""
    page.goto(f"{site.url}/files/?view={name}")
    return page.get_by_role("region", name=f"Text of {name}")


def test_code_is_coloured_and_none_of_it_is_markup(site: Site, desktop: Page) -> None:
    text = view(desktop, site, "code.py")
    expect(text.locator(".view-token-keyword", has_text="def")).to_be_visible()
    expect(text.locator(".view-token-comment")).to_have_text("# why")
    expect(text.locator(".view-line").nth(1)).to_have_text('    """<b>Doc</b>"""')
    assert text.locator("b").count() == 0
    assert text.evaluate("(element) => element.innerText.trimEnd()") == _CODE.rstrip("\n")


def test_a_long_text_comes_in_pieces_and_no_line_is_lost_between_them(site: Site, desktop: Page) -> None:
    text = view(desktop, site, "long.txt")
    expect(desktop.get_by_text("The first 524 KB of 1.1 MB")).to_be_visible()
    text.evaluate("(element) => { element.scrollTop = 3000; }")
    desktop.get_by_role("button", name="Show more").click()
    expect(desktop.get_by_text("The first 1.0 MB of 1.1 MB")).to_be_visible()
    desktop.get_by_role("button", name="Show more").click()
    expect(desktop.get_by_role("button", name="Show more")).to_have_count(0)
    assert text.evaluate("(element) => element.scrollTop") == 3000
    lines = text.evaluate("(element) => [...element.querySelectorAll('.view-line')].map((line) => line.textContent)")
    assert lines == _LINES


def test_a_file_that_changes_between_two_pieces_is_not_mixed(site: Site, desktop: Page) -> None:
    path = site.root / "moving.txt"
    path.write_text(f"old{'.' * 400}\n" * 1500)
    text = view(desktop, site, "moving.txt")
    expect(desktop.get_by_role("button", name="Show more")).to_be_visible()
    path.write_text(f"new{'.' * 400}\n" * 1500)
    desktop.get_by_role("button", name="Show more").click()
    expect(desktop.get_by_text("This file has changed since it was opened")).to_be_visible()
    assert "new" not in (text.text_content() or "")
    desktop.locator(".view-foot").get_by_role("button", name="Show the new version").click()
    expect(text.locator(".view-line").first).to_have_text(f"new{'.' * 400}")


def test_letters_are_right_in_old_and_wide_encodings(site: Site, desktop: Page) -> None:
    expect(view(desktop, site, "latin.txt").locator(".view-line").first).to_have_text("Käse für alle")
    expect(view(desktop, site, "wide.txt").locator(".view-line").first).to_have_text("weit")


def test_an_empty_file_says_so(site: Site, desktop: Page) -> None:
    view(desktop, site, "empty.txt")
    expect(desktop.get_by_role("heading", name="This file is empty")).to_be_visible()


def test_json_on_one_line_is_indented_and_its_values_stay(site: Site, desktop: Page) -> None:
    text = view(desktop, site, "small.json")
    indent = desktop.get_by_role("button", name="Indent")
    expect(indent).to_have_attribute("aria-pressed", "true")
    expect(text.locator(".view-line").nth(2)).to_have_text('    "n": 12345678901234567890,')
    expect(text.locator(".view-line").nth(4)).to_have_text('    "s": "<script>alert(1)</script>"')
    indent.click()
    expect(text.locator(".view-line")).to_have_count(1)
    expect(text.locator(".view-line").first).to_have_text((site.root / "small.json").read_text())


def test_lines_wrap_when_one_wants_it_and_it_is_remembered(site: Site, desktop: Page) -> None:
    view(desktop, site, "code.py")
    wrap = desktop.get_by_role("button", name="Wrap lines")
    expect(wrap).to_have_attribute("aria-pressed", "false")
    wrap.click()
    desktop.reload()
    expect(wrap).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_log_is_followed_until_one_scrolls_up(device: str, site: Site, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(device)
    page.goto(f"{site.url}/files/?view=app.log")
    log = page.get_by_role("log")
    expect(log.get_by_text("INFO line 50")).to_be_in_viewport()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    append(site, "".join(f"INFO more {number}\n" for number in range(1, 101)))
    expect(log.get_by_text("INFO more 100")).to_be_in_viewport()
    log.evaluate("(element) => { element.scrollTop = 0; }")
    expect(log.get_by_text("INFO line 1", exact=True)).to_be_in_viewport()
    append(site, "ERROR <i>late</i>\n")
    page.get_by_role("button", name="1 new line").click()
    late = log.get_by_text("ERROR <i>late</i>")
    expect(late).to_be_in_viewport()
    expect(late).to_have_class("view-log-line view-log-error")


@pytest.mark.usefixtures("log")
def test_a_log_that_grows_keeps_quiet_about_it_and_leaves_a_comment_as_it_is_written(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?view=app.log")
    desktop.get_by_role("button", name="Details").click()
    details = desktop.get_by_label("Details of app.log")
    say = details.get_by_label("Say something about this file")
    say.fill("half a sen")
    size = (site.root / "app.log").stat().st_size
    append(site, "INFO more\n")
    expect(details.get_by_text(f"{size + 10} bytes")).to_be_visible()
    expect(say).to_have_value("half a sen")
    expect(desktop.get_by_role("button", name="Show the new version")).to_have_count(0)


@pytest.mark.usefixtures("log")
def test_a_log_is_filtered_as_one_types_and_as_it_grows(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?view=app.log")
    log = desktop.get_by_role("log")
    desktop.get_by_role("searchbox", name="Filter lines").fill("LINE 4")
    expect(log.get_by_text("INFO line 49")).to_be_visible()
    expect(log.get_by_text("INFO line 1", exact=True)).to_be_hidden()
    append(site, "INFO other\nINFO line 400\n")
    expect(log.get_by_text("INFO line 400")).to_be_visible()
    expect(log.get_by_text("INFO other")).to_be_hidden()
    desktop.get_by_role("searchbox", name="Filter lines").fill("nowhere")
    expect(desktop.get_by_text("No line has these words")).to_be_visible()


@pytest.mark.usefixtures("log")
def test_a_log_that_is_cut_off_or_read_from_its_beginning(site: Site, desktop: Page) -> None:
    desktop.goto(f"{site.url}/files/?view=app.log")
    expect(desktop.get_by_text("INFO line 50")).to_be_visible()
    (site.root / "app.log").write_text("begun anew\n")
    expect(desktop.get_by_text("The file was cut off here and begins anew")).to_be_visible()
    expect(desktop.get_by_text("begun anew", exact=True)).to_be_visible()
    desktop.get_by_role("button", name="Follow").click()
    expect(desktop.get_by_role("region", name="Text of app.log")).to_have_text("begun anew")
    assert "follow=no" in desktop.url


@pytest.mark.usefixtures("log")
def test_a_log_comes_back_after_a_proxy_said_that_the_server_is_away(site: Site, desktop: Page) -> None:
    desktop.route("**/files/app.log?**", lambda route: route.fulfill(status=502), times=1)
    desktop.goto(f"{site.url}/files/?view=app.log")
    expect(desktop.get_by_text("Connecting again")).to_be_visible()
    expect(desktop.get_by_text("INFO line 50", exact=True)).to_be_visible()
    expect(desktop.get_by_text("Live", exact=True)).to_be_visible()


def append(site: Site, text: str) -> None:
    """Write to the log's end, as a program does."""
    with (site.root / "app.log").open("a") as file:
        file.write(text)

"""The page of a folder, as text and as a browser shows it."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import FilePayload, expect

from fileserver.web.listing import Crumb, ListingPage, Row, human_size, listing_page, page_headers
from fileserver.web.page import problem_page
from tests.web.conftest import SITE, Visit

FOLDER = Row("Films", "/files/Films/", None, True, None, 1_760_000_000, None)
FILE = Row("a.mp4", "/files/?view=a.mp4", "/files/a.mp4?download", False, 1_234_567, 1_760_000_000, "video/mp4")
PAGE = ListingPage(
    "Media", (Crumb("Files", "/files/"), Crumb("Media", "/files/Media/")), (FOLDER, FILE), None, True, "/x"
)

NAMES = (
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "\"' onmouseover='x",
    "&amp;&lt;",
    "a\nb\0c",
    "photo\u202egpj.exe",
    "\u05e9\u05dc\u05d5\u05dd.txt",
    "caf\udce9",
    "x" * 255,
)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (9949, "9.9 KB"),
        (9950, "10 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (2_000_000_000, "2.0 GB"),
        (10**21, "1000000 PB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert human_size(size) == said


def test_a_row_holds_the_exact_size_and_time() -> None:
    page = listing_page(PAGE)
    assert '<span title="1,234,567 bytes">1.2 MB</span>' in page
    assert 'datetime="2025-10-09T08:53:20Z"' in page


@pytest.mark.parametrize("modified_s", [None, -(10**18), -62135596800, -1, 0, 2**31, 253402300799, 10**18])
def test_any_time_can_be_listed(modified_s: int | None) -> None:
    assert "a.mp4" in listing_page(replace(PAGE, rows=(replace(FILE, modified_s=modified_s),)))


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_sent(name: str) -> None:
    page = replace(PAGE, title=name, crumbs=(Crumb(name, "/"), Crumb(name, "/")), rows=(replace(FILE, name=name),))
    assert listing_page(page).encode()
    assert problem_page(404, name, name, "/").encode()


def test_what_a_page_may_load_is_nearly_nothing() -> None:
    headers = dict(page_headers())
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(part.partition(" ")[::2] for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]


def test_who_may_not_write_sees_no_form() -> None:
    assert 'method="post"' in listing_page(PAGE)
    assert 'method="post"' not in listing_page(replace(PAGE, may_write=False))


def test_an_empty_folder_says_so() -> None:
    page = listing_page(replace(PAGE, rows=()))
    assert "This folder is empty" in page
    assert 'role="table"' not in page


def test_a_search_without_a_result_says_so_and_keeps_its_words() -> None:
    page = listing_page(replace(PAGE, rows=(), search='"<b>'))
    assert "Nothing found" in page
    assert 'value="&quot;&lt;b&gt;"' in page


def test_what_scripts_begin_with_cannot_end_its_element() -> None:
    page = listing_page(replace(PAGE, first_view={"folder": "</script><script>alert(1)</script>"}))
    assert "<script>" not in page


def test_a_browser_shows_the_page_with_its_style_and_complains_of_nothing(visit: Visit) -> None:
    site = visit(java_script_enabled=False)
    site.serve("/", listing_page(PAGE), page_headers())
    site.page.goto(SITE)
    assert site.page.evaluate("getComputedStyle(document.body).marginTop") == "0px"
    assert site.complaints == []
    assert all(request.url.startswith(f"{SITE}/") for request in site.requests)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_acts_or_breaks_the_page(visit: Visit, name: str) -> None:
    site = visit(width=375, java_script_enabled=False)
    page = replace(PAGE, crumbs=(Crumb(name, "/"), PAGE.crumbs[1]), rows=(replace(FILE, name=name), FILE))
    site.serve("/", listing_page(page), page_headers())
    site.page.goto(SITE)
    assert site.page.title() == "Media"
    assert site.page.locator(".browse-row").count() == 2
    assert site.page.locator("[onmouseover], [onerror], img, script:not([src], [type='application/json'])").count() == 0
    assert site.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert site.complaints == []


def test_a_name_written_from_right_to_left_leaves_its_row_alone(visit: Visit) -> None:
    site = visit(java_script_enabled=False)
    rows = (replace(FILE, name="\u05e9\u05dc\u05d5\u05dd.txt"),)
    site.serve("/", listing_page(replace(PAGE, rows=rows)), page_headers())
    site.page.goto(SITE)
    name = site.page.locator(".browse-row bdi").bounding_box()
    size = site.page.locator(".browse-row .browse-size").bounding_box()
    assert name is not None
    assert size is not None
    assert name["x"] + name["width"] <= size["x"]


@pytest.mark.parametrize("width", [1100, 375])
def test_the_page_can_be_read_by_its_roles(visit: Visit, width: int) -> None:
    site = visit(width=width, java_script_enabled=False)
    site.serve("/", listing_page(replace(PAGE, next_href="/files/?after=x")), page_headers())
    site.page.goto(SITE)
    roles = site.page.get_by_role
    expect(roles("heading", level=1)).to_have_text("Media")
    expect(roles("navigation", name="Folders").get_by_role("link")).to_have_attribute("href", "/files/")
    expect(roles("table", name="Files and folders").locator(".browse-row")).to_have_count(2)
    expect(roles("link", name=re.compile("^Films"))).to_have_attribute("href", "/files/Films/")
    expect(roles("link", name=re.compile("^a.mp4"))).to_have_attribute("href", "/files/?view=a.mp4")
    expect(roles("link", name="Download a.mp4")).to_have_attribute("href", "/files/a.mp4?download")
    expect(roles("link", name="Next page")).to_have_attribute("href", "/files/?after=x")
    expect(roles("search").get_by_role("searchbox")).to_have_attribute("name", "search")


def test_the_form_sends_its_fields_before_its_files(visit: Visit) -> None:
    site = visit(java_script_enabled=False)
    site.serve("/", listing_page(replace(PAGE, action_href="/files/Media/")), page_headers())
    site.page.goto(SITE)
    site.page.get_by_label("Replace files of the same name").check()
    files = [FilePayload(name=name, mimeType="text/plain", buffer=b"content") for name in ("one.txt", "two.txt")]
    site.page.get_by_label("Files to add").set_input_files(files)
    with site.page.expect_request(f"{SITE}/files/Media/") as sent:
        site.page.get_by_role("button", name="Upload").click()
    assert sent.value.method == "POST"
    assert sent.value.headers["content-type"].startswith("multipart/form-data")
    body = sent.value.post_data_buffer or b""
    places = [body.find(part) for part in (b'name="replace"', b'filename="one.txt"', b'filename="two.txt"')]
    assert places == sorted(places)
    assert places[0] > 0
    assert site.complaints == []


def test_a_problem_is_a_page_with_a_way_back(visit: Visit) -> None:
    site = visit(java_script_enabled=False)
    site.serve_assets("/home/")
    site.serve("/", problem_page(404, "Not found", "Nothing is stored <here>.", "/home/"), page_headers())
    site.page.goto(SITE)
    expect(site.page.get_by_role("heading")).to_have_text("Not found")
    expect(site.page.get_by_text("Nothing is stored <here>.")).to_be_visible()
    expect(site.page.get_by_role("link", name="Back to the files")).to_have_attribute("href", "/home/")
    assert site.complaints == []

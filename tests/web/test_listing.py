"""The page of a folder, as text and as a browser shows it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import FilePayload, expect

from fileserver.web.listing import Crumb, ListingPage, Row, human_size, listing_page, page_headers, problem_page
from tests.web.conftest import SITE, Site

FOLDER = Row("Films", "/files/Films/", None, True, None, 1_760_000_000, None)
FILE = Row("a.mp4", "/files/a.mp4", "/files/a.mp4?download", False, 1_234_567, 1_760_000_000, "video/mp4")
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
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (10_188, "9.9 KiB"),
        (10_189, "10 KiB"),
        (1_048_063, "1023 KiB"),
        (1_048_064, "1.0 MiB"),
        (2**31, "2.0 GiB"),
        (2**70, "1024 EiB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert human_size(size) == said


def test_a_row_holds_the_exact_size_and_time() -> None:
    page = listing_page(PAGE)
    assert '<span title="1,234,567 bytes">1.2 MiB</span>' in page
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
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == {
        "default-src": "'none'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_who_may_not_write_sees_no_form() -> None:
    assert "<form" not in listing_page(replace(PAGE, may_write=False))


def test_an_empty_folder_says_so() -> None:
    page = listing_page(replace(PAGE, rows=()))
    assert "Nothing is here yet." in page
    assert "<table" not in page


def test_a_browser_shows_the_page_with_its_style_and_complains_of_nothing(visit: Callable[..., Site]) -> None:
    site = visit()
    site.serve("/", listing_page(PAGE), page_headers())
    site.page.goto(SITE)
    assert site.page.evaluate("getComputedStyle(document.body).marginTop") == "0px"
    assert site.complaints == []
    assert {request.url for request in site.requests} <= {f"{SITE}/", f"{SITE}/favicon.ico"}


@pytest.mark.parametrize("name", NAMES)
def test_no_name_acts_or_breaks_the_page(visit: Callable[..., Site], name: str) -> None:
    site = visit(width=375)
    page = replace(PAGE, crumbs=(Crumb(name, "/"), PAGE.crumbs[1]), rows=(replace(FILE, name=name), FILE))
    site.serve("/", listing_page(page), page_headers())
    site.page.goto(SITE)
    assert site.page.title() == "Media"
    assert site.page.locator("tbody tr").count() == 2
    assert site.page.locator("a[onmouseover], img, script").count() == 0
    assert site.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert site.complaints == []


def test_a_name_written_from_right_to_left_leaves_its_row_alone(visit: Callable[..., Site]) -> None:
    site = visit()
    rows = (replace(FILE, name="\u05e9\u05dc\u05d5\u05dd.txt"),)
    site.serve("/", listing_page(replace(PAGE, rows=rows)), page_headers())
    site.page.goto(SITE)
    name = site.page.locator("tbody .name bdi").bounding_box()
    size = site.page.locator("tbody .size").bounding_box()
    assert name is not None
    assert size is not None
    assert name["x"] + name["width"] <= size["x"]


@pytest.mark.parametrize("width", [1100, 375])
def test_the_page_can_be_read_by_its_roles(visit: Callable[..., Site], width: int) -> None:
    site = visit(width=width)
    site.serve("/", listing_page(replace(PAGE, next_href="/files/?after=x")), page_headers())
    site.page.goto(SITE)
    roles = site.page.get_by_role
    expect(roles("heading", level=1)).to_have_text("Media")
    expect(roles("navigation", name="Folders above").get_by_role("link")).to_have_attribute("href", "/files/")
    expect(roles("table", name="Folders and files").get_by_role("row")).to_have_count(3)
    expect(roles("link", name="Films/", exact=True)).to_have_attribute("href", "/files/Films/")
    expect(roles("link", name="a.mp4", exact=True)).to_have_attribute("href", "/files/a.mp4")
    expect(roles("link", name="Download a.mp4")).to_have_attribute("href", "/files/a.mp4?download")
    expect(roles("link", name="Next page")).to_have_attribute("href", "/files/?after=x")


def test_the_form_sends_its_fields_before_its_files(visit: Callable[..., Site]) -> None:
    site = visit()
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


def test_a_problem_is_a_page_with_a_way_back(visit: Callable[..., Site]) -> None:
    site = visit()
    site.serve("/", problem_page(404, "Not found", "Nothing is stored <here>.", "/home"), page_headers())
    site.page.goto(SITE)
    expect(site.page.get_by_role("heading")).to_have_text("Not found")
    expect(site.page.get_by_text("Nothing is stored <here>.")).to_be_visible()
    expect(site.page.get_by_role("link", name="Back to the files")).to_have_attribute("href", "/home")
    assert site.complaints == []

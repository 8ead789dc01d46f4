"""What a folder says of itself: a stranger's text, of which no line acts."""

import pytest
from playwright.sync_api import expect

from fileserver.web.html import Html
from fileserver.web.page import page, page_headers
from fileserver.web.readme import Readme, plain_article, readme_article, readme_name
from tests.web.conftest import SITE, Visit


def made(text: str, *, name: str = "README.md", is_whole: bool = True) -> Html:
    """The article of a text in the folder `a/b/`."""
    return readme_article(Readme(name, text, is_whole, f"/files/a/b/?view={name}", "/files/a/b/", "/files/"))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((), None),
        (("a.md", "readme.html"), None),
        (("README", "README.txt", "ReadMe.MD"), "ReadMe.MD"),
        (("readme.txt", "readme.markdown"), "readme.markdown"),
        (("readme.md", "README.md"), "README.md"),
    ],
)
def test_the_best_name_wins(names: tuple[str, ...], chosen: str | None) -> None:
    assert readme_name(names) == chosen


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("guide.md", "/files/a/b/?view=guide.md"),
        ("docs/a%20&%20b.md", "/files/a/b/docs/?view=a%20%26%20b.md"),
        ("docs/", "/files/a/b/docs/"),
        ("..", "/files/a/"),
        ("../x.md", "/files/a/?view=x.md"),
        ("/top.md", "/files/?view=top.md"),
        ("#some-place", "#readme-some-place"),
        ("https://other.test/?a&b", "https://other.test/?a&amp;b"),
        ("//other.test/x", "//other.test/x"),
        ("mailto:a@b.test", "mailto:a@b.test"),
    ],
)
def test_a_link_leads_to_what_it_means(target: str, href: str) -> None:
    assert f'<a href="{href}"' in made(f"[words]({target})")


@pytest.mark.parametrize(
    "target",
    [
        "../../../../docs",
        "/../../docs",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "tel:1",
        "?upload",
    ],
)
def test_a_link_that_leads_nowhere_good_leads_nowhere(target: str) -> None:
    assert 'href="' not in made(f"[words]({target})").partition("readme-text")[2]
    assert "<img" not in made(f"![words]({target})")


@pytest.mark.parametrize(
    "text",
    [
        "<script>document.title='run'</script>",
        "<img src=x onerror=\"document.title='run'\">",
        "[x](<\"onmouseover=\"document.title='run'>)",
        '![x](a.png "\\"onerror=\\"alert(1)")',
        '```"><script>document.title=1</script>\n<b>\n```',
        "# <iframe src=/>\n\n<style>*{display:none}</style>",
        '<http://a"onclick="alert(1)>',
        "a\0b \x1b[31m \ufffd",
    ],
)
def test_no_text_acts_or_breaks_the_policy(visit: Visit, text: str) -> None:
    site = visit()
    site.serve("/", page("Folder", made(text), base="/"), page_headers())
    site.page.goto(SITE)
    assert site.page.title() == "Folder"
    assert site.page.locator("article").locator("script, iframe, style, [onclick], [onerror], [style]").count() == 0
    assert [each for each in site.complaints if "404" not in each] == []


def test_headings_stand_below_that_of_the_page_and_can_be_linked_to() -> None:
    article = made("# One & more\n\n# One & more\n\n###### Deep")
    assert '<h2 id="readme-one--more">' in article
    assert '<h2 id="readme-one--more-1">' in article
    assert '<h6 id="readme-deep">' in article


def test_tables_are_aligned_without_styles() -> None:
    assert '<td class="readme-right">2</td>' in made("|a|b|\n|-|-:|\n|1|2|")


def test_pictures_of_this_server_are_shown_and_others_linked_to() -> None:
    article = made("![here](sub/a.png) ![there](http://other.test/b.png) [![badge](//x.test/c.svg)](https://y.test)")
    assert '<img src="/files/a/b/sub/a.png" alt="here" loading="lazy" />' in article
    assert '<a href="http://other.test/b.png" rel="nofollow noopener noreferrer">there</a>' in article
    assert '<a href="https://y.test" rel="nofollow noopener noreferrer">badge</a>' in article


@pytest.mark.parametrize("name", ["README", "readme.txt"])
def test_plain_text_is_shown_as_it_is(name: str) -> None:
    assert "<pre>a *b* &lt;i&gt;\n\n  c</pre>" in made("a *b* <i>\r\n\r\n  c", name=name)


def test_a_long_one_says_where_the_rest_is(visit: Visit) -> None:
    site = visit()
    site.serve("/", page("Folder", made("words", is_whole=False), base="/"), page_headers())
    site.page.goto(SITE)
    expect(site.page.get_by_role("link", name="The rest of it")).to_have_attribute("href", "/files/a/b/?view=README.md")


def test_one_that_takes_too_long_is_shown_as_it_was_written() -> None:
    assert "<pre># a\n&lt;b&gt;</pre>" in plain_article(Readme("README.md", "# a\n<b>", True, "/x", "/", "/"))

"""What a browser would run is called so under any name, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.media import detect

HTML = b"<!DOCTYPE html>\n<html><body><script>alert(1)</script></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SVG_WITH_PROLOGUE = b"<?xml version='1.0'?>\n<!-- drawn --><!DOCTYPE svg [<!ENTITY a 'b'>]>\n" + SVG
XHTML = b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>"

HARMLESS_NAMES = (
    "a",
    "a.txt",
    "a.csv",
    "a.json",
    "a.md",
    "a.js",
    "a.mp4",
    "a.png",
    "a.pdf",
    "a.zip",
    "a.docx",
    "a.html",
)


@pytest.mark.parametrize("name", HARMLESS_NAMES)
@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (HTML, "text/html; charset=utf-8"),
        (b" \r\n" * 9999 + HTML, "text/html; charset=utf-8"),
        (HTML + bytes(99), "text/html; charset=utf-8"),
        (b"\xef\xbb\xbf \n" + HTML, "text/html; charset=utf-8"),
        (b"<!-- a -->\n<!-- b --><Script>alert(1)</Script>", "text/html; charset=utf-8"),
        (b"<iframe src=x>", "text/html; charset=utf-8"),
        (b"<html>%PDF-1.4\n", "text/html; charset=utf-8"),
        (b"<body>caf\xe9", "text/html"),
        (HTML.decode().encode("utf-16"), "text/html"),
        (b"\xfe\xff" + HTML.decode().encode("utf-16-be"), "text/html"),
        (SVG, "image/svg+xml"),
        (SVG_WITH_PROLOGUE, "image/svg+xml"),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (XHTML, "application/xhtml+xml"),
        (b"<?xml version='1.0'?><a/>", "application/xml"),
    ],
)
def test_a_document_is_one_under_any_name(head: bytes, media_type: str, name: str) -> None:
    assert detect(head, name) == media_type


@pytest.mark.parametrize("name", ["a", "a.txt", "a.log"])
def test_a_document_after_some_words_is_one_where_nothing_else_is_claimed(name: str) -> None:
    assert detect(b"some words\n" * 9 + HTML, name) == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", ["a.md", "a.markdown"])
def test_a_paragraph_of_html_makes_no_document_of_markdown_but_a_script_does(name: str) -> None:
    assert detect(b"<h1>A</h1>\n", name).startswith("text/markdown")
    assert detect(b"<!-- a --><script>x</script>\n", name).startswith("text/html")
    assert detect(b"<h1>A</h1>\n", "a.txt").startswith("text/html")


@pytest.mark.parametrize("name", ["a.html", "a.js", "a.svg", "a.txt", "a.mp4"])
@pytest.mark.parametrize("head", [b"GIF89a\x01\0<html><script>alert(1)</script>", b"GIF89a/*\0\0*/=1;alert(1)//"])
def test_a_picture_that_is_a_program_too_is_a_picture_under_any_name(head: bytes, name: str) -> None:
    assert detect(head, name) == "image/gif"
    assert detect(head, "a.gif") == "image/gif"


@given(st.text(max_size=200), st.sampled_from(HARMLESS_NAMES))
def test_a_script_at_the_start_is_seen_whatever_follows(after: str, name: str) -> None:
    head = b"<script>" + after.encode("utf-8", "surrogatepass")
    assert detect(head, name).startswith("text/html")

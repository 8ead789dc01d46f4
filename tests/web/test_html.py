"""Whatever a name holds, it is text in a page."""

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.web.html import Html, element, escape, joined

_any_text = st.text(st.characters() | st.characters(categories=("Cc", "Cf", "Cs")))


class _Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(_any_text, _any_text)
def test_text_is_never_markup(text: str, value: str) -> None:
    seen = _Seen(element("p", text, title=value))
    assert seen.tags == [("p", {"title": _Seen(escape(value)).text})]
    assert len(seen.text) == len(text)


@given(_any_text)
def test_text_can_be_sent_and_holds_no_control_character(text: str) -> None:
    sent = escape(text).encode("utf-8")
    assert not any(unicodedata.category(character) == "Cc" for character in sent.decode("utf-8"))


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_can_be_seen_is_not_changed(text: str) -> None:
    assert _Seen(element("p", text)).text == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\0d\x7f", "a␊b␉c␀d␡"),
        ("caf\udce9", "caf\N{REPLACEMENT CHARACTER}"),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\udce2\udc80\udcae", "\N{REPLACEMENT CHARACTER}" * 3),
        ("photo\u202egpj.exe", "photo\N{REPLACEMENT CHARACTER}gpj.exe"),
        ("\u2067a\u2069", "\N{REPLACEMENT CHARACTER}a\N{REPLACEMENT CHARACTER}"),
        ("a\x85b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_markup_is_escaped_again_once_it_was_formatted() -> None:
    link = element("a", "x")
    assert escape(link) is link
    assert escape(f"{link}") == "&lt;a&gt;x&lt;/a&gt;"
    assert escape(link + "<") == "&lt;a&gt;x&lt;/a&gt;&lt;"
    assert isinstance(joined(link, "<"), Html)

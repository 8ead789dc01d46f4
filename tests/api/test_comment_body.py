"""What may be said in a comment, as tables."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.api.comment_body import parse_comment
from fileserver.http.problems import ProblemError
from storage import NewComment


def parsed(**members: Any) -> NewComment:
    return parse_comment(json.dumps(members).encode())


def field_at_fault(body: bytes) -> object:
    """The member for which a comment is refused; None where it is the whole."""
    with pytest.raises(ProblemError, match="malformed-request") as caught:
        parse_comment(body)
    return caught.value.problem.extensions.get("field")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  text\n", "text"),
        ("one\r\ntwo\n\tthree", "one\ntwo\n\tthree"),
        ("cafe\u0301", "caf\u00e9"),
        ("x" * 4000, "x" * 4000),
        (" " + "\U0001f600" * 4000 + " ", "\U0001f600" * 4000),
        ("e\u0301" * 4000, "\u00e9" * 4000),
        ("o" + "\u0301" * 30, "\u00f3" + "\u0301" * 29),
        ("\u05e9\u05dc\u05d5\u05dd\u200f!", "\u05e9\u05dc\u05d5\u05dd\u200f!"),
        ("<script>alert(1)</script> \"'&", "<script>alert(1)</script> \"'&"),
        ("\u2028\u00a0a\u2029b\ufeffc", "a\u2029b\ufeffc"),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_text_is_kept_as_it_is_but_for_its_form(sent: str, kept: str) -> None:
    assert parsed(text=sent).text == kept


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"author": "  Ada  ", "media_time": 0}, NewComment("text", "Ada", 0.0, None)),
        ({"author": "", "byte_offset": 0}, NewComment("text", "", None, 0)),
        ({"author": None, "media_time": None, "byte_offset": None}, NewComment("text", "", None, None)),
        ({"author": "x" * 80, "byte_offset": 2**63 - 1}, NewComment("text", "x" * 80, None, 2**63 - 1)),
        ({"author": "Jose\u0301"}, NewComment("text", "Jos\u00e9")),
        ({"media_time": 1e15}, NewComment("text", "", 1e15)),
    ],
    ids=str,
)
def test_who_says_it_and_about_what(members: dict[str, Any], kept: NewComment) -> None:
    assert parsed(text="text", **members) == kept


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("text", value) for value in ("", " \n\t ", "x" * 4001, 5, None, ["text"], {"a": "b"}, True)),
        *(("text", f"a{character}b") for character in "\0\x07\x08\x0b\x0c\r\x1b\x1f\x7f\x85\x9f"),
        *(("text", f"a{character}b") for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
        *(("text", text) for text in ("a\ud83d", "\udcff", "\x1c text", "a\r\r\nb", "o" + "\u0301" * 31)),
        *(("author", value) for value in ("x" * 81, "a\nb", "a\tb", "a\u202eb", "a\ud800", 5, True, ["a"])),
        *(("media_time", value) for value in (-0.5, -1, "5", True, float("inf"), 10**400, [1])),
        *(("byte_offset", value) for value in (-1, 2**63, 1.5, 5.0, "5", True, 10**400)),
        *((name, 1) for name in ("id", "key", "time", "texts")),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_cannot_be_said_is_refused_by_the_name_of_its_member(member: str, value: Any) -> None:
    body = json.dumps({"text": "text", member: value}).replace("Infinity", "1e999")
    assert field_at_fault(body.encode()) == member


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"text", None),
        (b"{}", "text"),
        (b"[]", None),
        (b'"text"', None),
        (b"null", None),
        (b'{"text": "text"', None),
        (b'{"text": "text"} {}', None),
        (b'{"text": "a", "text": "b"}', None),
        (b'{"text": "text", "\\ud800": 1}', None),
        (b'{"text": "text", "media_time": NaN}', None),
        (b'{"text": "text", "byte_offset": ' + b"9" * 5000 + b"}", None),
        (b'{"text": "\xff"}', None),
        (b'{"text": "\xed\xa0\x80"}', None),
        (b"\xef\xbb\xbf" + b'{"text": "text"}', None),
        ('{"text": "text"}'.encode("utf-16"), None),
        (b'{"text": ' + b"[" * 60_000, None),
        (b'{"text": ' + b'{"a":' * 10_000, None),
        (b'{"text": ' + b"[" * 900 + b"]" * 900 + b"}", "text"),
        (b'{"media_time": 1, "byte_offset": 1, "text": "text"}', "byte_offset"),
        (b'{"byte_offset": 0, "text": "text", "media_time": 0}', "byte_offset"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_what_is_no_comment_is_refused(body: bytes, field: str | None) -> None:
    assert field_at_fault(body) == field


def test_a_refusal_names_what_is_missing() -> None:
    with pytest.raises(ProblemError) as caught:
        parse_comment(b'{"author": "Ada"}')
    assert caught.value.problem.detail == "The comment is not taken: `text` is missing."


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_taken_is_plain_and_taken_again_as_it_is(text: str) -> None:
    try:
        comment = parsed(text=text)
    except ProblemError:
        return
    assert parsed(text=comment.text) == comment
    assert unicodedata.is_normalized("NFC", comment.text)
    assert comment.text.encode()
    assert not {unicodedata.category(character) for character in comment.text if character not in "\n\t"} & {"Cc", "Cs"}

"""Disposition, digests, negotiation and media types, row by row."""

import base64
import contextlib
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http.digests import MalformedDigest, format_digest, parse_digests, wants
from fileserver.http.disposition import content_disposition, safe_name
from fileserver.http.fields import Fields
from fileserver.http.media_types import serve_as
from fileserver.http.negotiation import choose

SHA256 = hashlib.sha256(b"").digest()
SHA512 = hashlib.sha512(b"").digest()


@pytest.mark.parametrize(
    ("name", "ascii_name", "encoded"),
    [
        ("plain.txt", "plain.txt", "plain.txt"),
        ("two words.txt", "two words.txt", "two%20words.txt"),
        ("café.txt", "cafe.txt", "caf%C3%A9.txt"),
        ("słoń", "s_on", "s%C5%82o%C5%84"),
        ("日本.mp4", "__.mp4", "%E6%97%A5%E6%9C%AC.mp4"),
        ('qu"ote\\d', "d", "d"),
        ('qu"ote', "qu_ote", "qu%22ote"),
        ("100%41.txt", "100_41.txt", "100%2541.txt"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\Users\\me\\x.doc", "x.doc", "x.doc"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1", "aSet-Cookie%3A%20x%3D1"),
        ("evil\u202egnp.exe", "evilgnp.exe", "evilgnp.exe"),
        ("CON", "_CON", "_CON"),
        ("nul.txt", "_nul.txt", "_nul.txt"),
        ("COM¹.log", "_COM1.log", "_COM%C2%B9.log"),
        ("console", "console", "console"),
        ("trailing. ", "trailing", "trailing"),
        ("", "download", "download"),
        ("a/", "download", "download"),
        ("...", "download", "download"),
        ("caf\udce9", "caf_", "caf%EF%BF%BD"),
        ("a\ud800", "a_", "a%EF%BF%BD"),
        ("con .txt", "_con .txt", "_con%20.txt"),
        ("CONIN$", "_CONIN$", "_CONIN$"),
        ("ＣＯＮ", "_CON", "%EF%BC%A3%EF%BC%AF%EF%BC%AE"),
        ("a…", "a", "a%E2%80%A6"),
        ("…", "download", "%E2%80%A6"),
        ("a\x7f\x85b", "ab", "ab"),
        ("a" * 300, "a" * 255, "a" * 255),
        ("ł" * 200, "_" * 127, "%C5%82" * 127),
        ("it's*(1)", "it's*(1)", "it%27s%2A%281%29"),
    ],
)
def test_both_names_of_a_disposition(name: str, ascii_name: str, encoded: str) -> None:
    value = content_disposition("attachment", name)
    assert value == f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"


@given(st.text(st.characters(exclude_categories=())))
def test_a_disposition_is_always_one_clean_line(name: str) -> None:
    value = content_disposition("inline", name)
    assert re.fullmatch(
        r"inline; filename=\"[^\"\\/\x00-\x1f\x7f]+\"; filename\*=UTF-8''[!#$&+.^_`|~\w%-]+", value, re.ASCII
    )
    assert len(safe_name(name).encode()) <= 255


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], {}),
        ([format_digest("sha-256", SHA256)], {"sha-256": SHA256}),
        (
            [f"{format_digest('sha-512', SHA512)}, {format_digest('sha-256', SHA256)}"],
            {"sha-512": SHA512, "sha-256": SHA256},
        ),
        ([format_digest("sha-256", SHA256), "md5=:AAAA:"], {"sha-256": SHA256}),
        ([format_digest("sha-256", SHA256) + ";a=1"], {"sha-256": SHA256}),
        (["unixsum=:AAAA:"], {}),
        ([""], {}),
        (["", format_digest("sha-256", SHA256)], {"sha-256": SHA256}),
        (["md5=:AAAA:", "\t" + format_digest("sha-256", SHA256) + "\t,\tx=1"], {"sha-256": SHA256}),
        ([format_digest("sha-256", SHA512[:32]), format_digest("sha-256", SHA256)], {"sha-256": SHA256}),
        (["sha-256=:" + base64.b64encode(SHA256).decode().rstrip("=") + ":"], {"sha-256": SHA256}),
        (['x="a, \\"sha-256=1;", y;z="," ,' + format_digest("sha-256", SHA256)], {"sha-256": SHA256}),
    ],
)
def test_digests(lines: list[str], expected: dict[str, bytes]) -> None:
    assert parse_digests(lines) == expected


@pytest.mark.parametrize(
    "line",
    [
        "sha-256=",
        "sha-256",
        "sha-256=AAAA",
        "sha-256=:AAAA:",
        "sha-256=:" + base64.b64encode(SHA512).decode() + ":",
        "sha-256=:%%%%:",
        "sha-256=:" + base64.b64encode(SHA256).decode(),
        "SHA-256=:" + base64.b64encode(SHA256).decode() + ":",
        ",",
        "md5=:AAAA:,",
        ",md5=:AAAA:",
        "md5=:AAAA:,,x=1",
        format_digest("sha-256", SHA256) + " x=1",
        'x="open',
        "=:AAAA:",
        "sha-256=:\xe9:",
        "sha-256=::",
        "sha-256=:",
    ],
)
def test_malformed_digests(line: str) -> None:
    with pytest.raises(MalformedDigest):
        parse_digests([line])


@given(st.text(st.characters(max_codepoint=255)))
def test_any_digest_field_is_read_or_malformed(line: str) -> None:
    with contextlib.suppress(MalformedDigest):
        parse_digests([f"sha-256=:{line}:", line])
    wants([line], "sha-256")


def test_a_huge_digest_field_is_read_through() -> None:
    assert parse_digests(["a=1, " * 50_000 + "b"]) == {}
    with pytest.raises(MalformedDigest):
        parse_digests(['a="' + "\\\\" * 50_000])


@pytest.mark.parametrize(
    ("line", "expected"),
    [("sha-256=1", True), ("sha-256=10, sha-512=1", True), ("sha-256=0", False), ("sha-512=10", False), ("!", True)],
)
def test_wanted_digests(line: str, expected: bool) -> None:
    assert wants([line], "sha-256") is expected


OFFERS = ("application/json", "text/html", "text/csv")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], "application/json"),
        (["*/*"], "application/json"),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], "text/html"),
        (["text/csv"], "text/csv"),
        (["text/*"], "text/html"),
        (["text/*, text/html;q=0.1"], "text/csv"),
        (["text/html;q=0.5", "text/csv;q=0.6"], "text/csv"),
        (["TEXT/CSV"], "text/csv"),
        (["*/*, application/json;q=0"], "text/html"),
        (["image/png"], None),
        (["*/*;q=0"], None),
        (["text/html;level=1;q=0.4, text/csv;q=0.3"], "text/html"),
        (["text/csv;header=present"], "text/csv"),
        (["text/csv;q=0.001, */*;q=0"], "text/csv"),
        (["text/csv;q=1.000,text/html;q=0.999"], "text/csv"),
        (["text/csv; Q=0.1, text/html ; q = 0.2"], "text/html"),
        (["garbage, text/csv"], "text/csv"),
        (["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], "text/html"),
        ([",,text/csv,,"], "text/csv"),
        (["garbage"], "application/json"),
        ([""], "application/json"),
    ],
)
def test_negotiation(accept: list[str], expected: str | None) -> None:
    assert choose(accept, OFFERS) == expected


@given(st.lists(st.text(st.characters(max_codepoint=255))))
def test_any_accept_field_chooses_an_offer_or_none(lines: list[str]) -> None:
    assert choose(lines, OFFERS) in {*OFFERS, None}


def test_a_huge_accept_field_is_read_through() -> None:
    assert choose(["text/plain; " * 10_000, "text/csv;;;;;;;," * 10_000], OFFERS) == "text/csv"


@pytest.mark.parametrize(
    ("media_type", "content_type", "is_inline"),
    [
        ("image/png", "image/png", True),
        ("video/mp4", "video/mp4", True),
        ("audio/flac", "audio/flac", True),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8", True),
        ("text/csv", "text/csv", True),
        ("application/json", "application/json", True),
        ("text/javascript; charset=utf-8", "text/plain; charset=utf-8", True),
        ("text/x-python", "text/plain", True),
        ("text/css", "text/plain", True),
        ("application/x-sh", "text/plain", True),
        ("Image/PNG", "image/png", True),
        ('audio/ogg; codecs="opus, flac"; a=b', 'audio/ogg; codecs="opus, flac"; a=b', True),
        ("text/html", "text/html", False),
        ("text/html; charset=utf-8", "text/html; charset=utf-8", False),
        ("application/xhtml+xml", "application/xhtml+xml", False),
        ("image/svg+xml", "image/svg+xml", False),
        ("text/xml", "text/xml", False),
        ("application/pdf", "application/pdf", False),
        ("application/zip", "application/zip", False),
        (None, "application/octet-stream", False),
        ("", "application/octet-stream", False),
        ("nonsense", "application/octet-stream", False),
        ("text/plain; charset=\r\nset-cookie: a=b", "application/octet-stream", False),
        ("text/plain; charset=\xe9", "application/octet-stream", False),
        # a browser takes the last of several types
        ("audio/mpeg, text/html", "application/octet-stream", False),
        ("audio/mpeg;a=b, text/html", "application/octet-stream", False),
        ("video/", "application/octet-stream", False),
        ("text/plain; charset", "application/octet-stream", False),
        ("inode/x-empty", "application/octet-stream", False),
    ],
)
def test_how_types_are_served(media_type: str | None, content_type: str, is_inline: bool) -> None:
    served = serve_as(media_type)
    assert (served.content_type, served.is_inline) == (content_type, is_inline)


@given(st.text())
def test_no_media_type_breaks_the_header(media_type: str) -> None:
    content_type = serve_as(media_type).content_type
    assert content_type.isascii()
    assert content_type.isprintable()


def test_fields_keep_their_lines_apart() -> None:
    fields = Fields.from_asgi([(b"A", b" 1 "), (b"b", b"2"), (b"a", b"\t3")])
    assert fields.lines("a") == ("1", "3")
    assert fields.joined("a") == "1, 3"
    assert fields.only("a") is None
    assert fields.only("b") == "2"
    assert fields.joined("missing") is None

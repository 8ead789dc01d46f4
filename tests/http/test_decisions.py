"""Whole answers to GET and HEAD, decided without a byte moved."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http.dates import format_http_date
from fileserver.http.decisions import Decision, Representation, decide
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields

MODIFIED_S = 784111777
NOW_S = 1_800_000_000
SIZE = 10_000
FILE = Representation(SIZE, EntityTag("v1"), MODIFIED_S * 10**9, "video/mp4", "film.mp4", hashlib.sha256(b"x").digest())


def answer(
    method: str, *pairs: tuple[str, str], file: Representation = FILE, attachment: str | None = None
) -> Decision:
    return decide(
        method,
        Fields(pairs),
        file,
        now_s=NOW_S,
        attachment=attachment,
        cache_control="private, no-cache",
        boundary="B" * 32,
    )


def header(decision: Decision, name: str) -> str | None:
    values = [value for each, value in decision.headers if each == name]
    assert len(values) <= 1
    return values[0] if values else None


def length(decision: Decision) -> int:
    return sum(map(len, decision.body))


SAME, EARLIER, LATER = (format_http_date(MODIFIED_S + delta) for delta in (0, -1, 1))

ROWS: list[tuple[list[tuple[str, str]], int, str | None]] = [
    ([], 200, None),
    ([("range", "bytes=0-99")], 206, "bytes 0-99/10000"),
    ([("range", "bytes=-100")], 206, "bytes 9900-9999/10000"),
    ([("range", "bytes=-99999")], 206, "bytes 0-9999/10000"),
    ([("range", "bytes=10000-")], 416, "bytes */10000"),
    ([("range", "bytes=-0")], 416, "bytes */10000"),
    ([("range", "bytes=0-")], 206, "bytes 0-9999/10000"),
    ([("range", "bytes=9999-9999")], 206, "bytes 9999-9999/10000"),
    ([("range", "bytes=9999-10000")], 206, "bytes 9999-9999/10000"),
    ([("range", "bytes=0-9999999999999999999")], 206, "bytes 0-9999/10000"),
    ([("range", "bytes=0-18446744073709551616")], 200, None),  # nginx, Go and Caddy: 416
    ([("range", "Bytes=0-1")], 206, "bytes 0-1/10000"),  # Go and Caddy: 416
    ([("range", "bytes=+0-+5")], 200, None),  # Go and Caddy take it for 0-5
    ([("range", "bytes=0 - 5")], 200, None),  # nginx takes it for 0-5
    ([("range", "bytes=0-0, ,2-2")], 206, "bytes 0-2/10000"),  # nginx: 416
    ([("range", "bytes=0-5,3-9")], 206, "bytes 0-9/10000"),
    ([("range", "bytes=-0,20000-")], 416, "bytes */10000"),
    ([("range", "bytes=20000-,-1")], 206, "bytes 9999-9999/10000"),
    ([("range", "items=0-5")], 200, None),  # Go and Caddy: 416
    ([("range", "bytes=5-2")], 200, None),
    ([("range", "bytes=0-1"), ("range", "bytes=2-3")], 200, None),
    # a failing If-Range beats 416; one that holds does not; alone it means nothing (s.13.1.5)
    ([("range", "bytes=0-1"), ("if-range", '"v1"')], 206, "bytes 0-1/10000"),
    ([("range", "bytes=0-1"), ("if-range", '"v2"')], 200, None),
    ([("range", "bytes=0-1"), ("if-range", 'W/"v1"')], 200, None),
    ([("range", "bytes=10000-"), ("if-range", '"v2"')], 200, None),
    ([("range", "bytes=10000-"), ("if-range", '"v1"')], 416, "bytes */10000"),
    ([("if-range", '"v2"')], 200, None),
    ([("range", "bytes=0-1"), ("if-range", format_http_date(MODIFIED_S))], 206, "bytes 0-1/10000"),
    ([("range", "bytes=0-1"), ("if-range", LATER)], 200, None),
    ([("range", "bytes=0-1"), ("if-range", '"v1", "v2"')], 200, None),
    # tags beat dates, invalid dates are none (s.13.1.3, s.13.1.4)
    ([("if-none-match", '"v1"'), ("if-modified-since", EARLIER)], 304, None),  # nginx: 200
    ([("if-none-match", '"v2"'), ("if-modified-since", LATER)], 200, None),
    ([("if-match", '"v1"'), ("if-unmodified-since", EARLIER)], 200, None),  # nginx: 412
    ([("if-unmodified-since", "yesterday")], 200, None),  # nginx: 412
    ([("if-unmodified-since", EARLIER)], 412, None),
    ([("if-modified-since", SAME)], 304, None),
    ([("if-modified-since", LATER)], 304, None),  # nginx, as it comes: 200
    ([("if-modified-since", EARLIER)], 200, None),
    ([("if-none-match", '"v2"'), ("if-none-match", '"v1"')], 304, None),  # Go and Caddy: 200, nginx: 400
    ([("if-none-match", 'W/"v1"')], 304, None),
    ([("if-match", 'W/"v1"')], 412, None),
    ([("if-match", "*"), ("if-none-match", "*")], 304, None),
    # preconditions come before ranges (s.13.2.2)
    ([("range", "bytes=10000-"), ("if-none-match", '"v1"')], 304, None),
    ([("range", "bytes=10000-"), ("if-match", '"v2"')], 412, None),
    ([("range", "bytes=0-1"), ("if-match", '"v1"')], 206, "bytes 0-1/10000"),
]


@pytest.mark.parametrize(("pairs", "status", "content_range"), ROWS)
def test_get(pairs: list[tuple[str, str]], status: int, content_range: str | None) -> None:
    decision = answer("GET", *pairs)
    assert decision.status == status
    assert header(decision, "content-range") == content_range
    assert header(decision, "content-length") == (None if status == 304 else str(length(decision)))
    if status == 206:
        first, last = map(int, (content_range or "").removeprefix("bytes ").removesuffix("/10000").split("-"))
        assert decision.body == (range(first, last + 1),)
    elif status == 200:
        assert decision.body == (range(SIZE),)


@pytest.mark.parametrize(("pairs", "status", "content_range"), ROWS)
def test_head_is_get_without_range_and_body(
    pairs: list[tuple[str, str]], status: int, content_range: str | None
) -> None:
    decision = answer("HEAD", *pairs)
    whole = answer("GET", *(pair for pair in pairs if pair[0] not in {"range", "if-range"}))
    assert decision.body == ()
    assert (decision.status, decision.headers) == (whole.status, whole.headers)


def test_several_ranges_are_parts_with_one_exact_length() -> None:
    decision = answer("GET", ("range", "bytes=5000-5004,0-0"))
    assert decision.status == 206
    assert header(decision, "content-range") is None
    assert header(decision, "content-type") == f"multipart/byteranges; boundary={'B' * 32}"
    assert [part for part in decision.body if isinstance(part, range)] == [range(5000, 5005), range(0, 1)]
    text = b"".join(part for part in decision.body if isinstance(part, bytes)).decode()
    assert text.count("Content-Type: video/mp4") == 2
    assert "Content-Range: bytes 5000-5004/10000\r\n\r\n" in text
    assert text.endswith(f"\r\n--{'B' * 32}--\r\n")
    assert header(decision, "content-length") == str(length(decision))


def test_one_of_several_ranges_is_no_multipart() -> None:
    decision = answer("GET", ("range", "bytes=0-0,99999-"))
    assert header(decision, "content-range") == "bytes 0-0/10000"
    assert decision.body == (range(0, 1),)


@pytest.mark.parametrize("pairs", [[], [("range", "bytes=0-1")], [("range", "bytes=0-1,5000-5001")]])
def test_whole_and_partial_answers_carry_the_same_description(pairs: list[tuple[str, str]]) -> None:
    decision = answer("GET", *pairs)
    expected = {
        "etag": '"v1"',
        "cache-control": "private, no-cache",
        "last-modified": format_http_date(MODIFIED_S),
        "accept-ranges": "bytes",
        "content-disposition": "inline; filename=\"film.mp4\"; filename*=UTF-8''film.mp4",
        "x-content-type-options": "nosniff",
    }
    assert {name: header(decision, name) for name in expected} == expected
    assert (header(decision, "repr-digest") or "").startswith("sha-256=:")
    assert (header(decision, "content-security-policy") or "").startswith("default-src 'none';")


def test_not_modified_carries_what_a_cache_updates_and_nothing_more() -> None:
    decision = answer("GET", ("if-none-match", "*"))
    assert {name for name, _ in decision.headers} == {"etag", "cache-control", "vary"}


@pytest.mark.parametrize(
    ("pairs", "slug"),
    [([("if-match", '"v2"')], "precondition-failed"), ([("range", "bytes=10000-")], "range-not-satisfiable")],
)
def test_refusals_are_problem_documents(pairs: list[tuple[str, str]], slug: str) -> None:
    decision = answer("GET", *pairs)
    assert header(decision, "content-type") == "application/problem+json"
    assert header(decision, "cache-control") == "no-store"
    (body,) = decision.body
    assert isinstance(body, bytes)
    problem = json.loads(body)
    assert problem["type"] == f"urn:problem-type:fileserver:{slug}"
    assert problem["status"] == decision.status
    assert header(decision, "accept-ranges") == ("bytes" if decision.status == 416 else None)


@pytest.mark.parametrize("field", ["bytes=0-", "bytes=-1", "bytes=5-"])
def test_an_empty_file_is_answered_whole(field: str) -> None:
    empty = Representation(0, EntityTag("v0"), 0, None, "empty", None)
    decision = answer("GET", ("range", field), file=empty)
    assert (decision.status, decision.body, header(decision, "content-length")) == (200, (), "0")


def test_a_time_in_the_future_is_not_announced() -> None:
    future = Representation(1, EntityTag("v"), (NOW_S + 1000) * 10**9, None, "f", None)
    assert header(answer("GET", file=future), "last-modified") == format_http_date(NOW_S)


@pytest.mark.parametrize(
    ("attachment", "media_type", "expected"),
    [
        (None, "video/mp4", "inline; filename=\"film.mp4\"; filename*=UTF-8''film.mp4"),
        (None, "text/html", "attachment; filename=\"film.mp4\"; filename*=UTF-8''film.mp4"),
        ("", "video/mp4", "attachment; filename=\"film.mp4\"; filename*=UTF-8''film.mp4"),
        ("other.mov", "video/mp4", "attachment; filename=\"other.mov\"; filename*=UTF-8''other.mov"),
    ],
)
def test_who_decides_that_a_file_is_saved(attachment: str | None, media_type: str, expected: str) -> None:
    file = Representation(SIZE, EntityTag("v1"), 0, media_type, "film.mp4", None)
    assert header(answer("GET", file=file, attachment=attachment), "content-disposition") == expected


@pytest.mark.parametrize(
    ("media_type", "is_sandboxed"),
    [("video/mp4", False), ("audio/flac", False), ("text/html", True), ("image/svg+xml", True), (None, True)],
)
def test_whatever_could_act_is_sandboxed(media_type: str | None, is_sandboxed: bool) -> None:
    file = Representation(SIZE, EntityTag("v1"), 0, media_type, "f", None)
    policy = header(answer("GET", file=file), "content-security-policy") or ""
    assert policy.startswith("sandbox;") is is_sandboxed
    assert "default-src 'none'" in policy


def test_the_digest_is_left_out_when_unknown_or_unwanted() -> None:
    unknown = Representation(SIZE, EntityTag("v1"), 0, None, "f", None)
    assert header(answer("GET", file=unknown), "repr-digest") is None
    assert header(answer("GET", ("want-repr-digest", "sha-256=0")), "repr-digest") is None


FIELD_NAMES = ("range", "if-range", "if-match", "if-none-match", "if-modified-since", "want-repr-digest")


@given(
    st.lists(
        st.tuples(st.sampled_from(FIELD_NAMES), st.text(st.characters(max_codepoint=255), max_size=30)), max_size=4
    ),
    st.sampled_from(["GET", "HEAD"]),
    st.integers(0, 300),
)
def test_no_fields_break_the_answer(pairs: list[tuple[str, str]], method: str, size: int) -> None:
    file = Representation(size, EntityTag("v1"), 0, "text/plain", "name", None)
    decision = answer(method, *pairs, file=file)
    assert decision.status in {200, 206, 304, 412, 416}
    if method == "GET" and decision.status != 304:
        assert header(decision, "content-length") == str(length(decision))
    else:
        assert decision.body == ()

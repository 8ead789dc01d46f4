"""Multipart forms as they arrive (RFC 7578)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http.form_parts import (
    FormEvent,
    FormLimits,
    FormParser,
    FormTooComplex,
    MalformedForm,
    PartBegin,
    PartBytes,
    PartEnd,
)

TYPE = "multipart/form-data; boundary=xyz"


def part(headers: str, payload: bytes) -> bytes:
    return f"--xyz\r\n{headers}\r\n\r\n".encode() + payload + b"\r\n"


def file_part(filename: str, payload: bytes) -> bytes:
    return part(f'Content-Disposition: form-data; name="file"; filename="{filename}"', payload)


END = b"--xyz--\r\n"


def events_of(*chunks: bytes, content_type: str = TYPE, limits: FormLimits = FormLimits()) -> list[FormEvent]:  # noqa: B008
    parser = FormParser(content_type, limits)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    parser.finish()
    return events


def joined(events: list[FormEvent]) -> list[FormEvent]:
    whole: list[FormEvent] = []
    for event in events:
        if isinstance(event, PartBytes) and whole and isinstance(last := whole[-1], PartBytes):
            whole[-1] = PartBytes(last.payload + event.payload)
        else:
            whole.append(event)
    return whole


def test_a_form_of_a_field_and_a_file() -> None:
    field = part('Content-Disposition: form-data; name="replace"', b"true")
    file = part(
        'content-disposition: form-data; name="f"; filename="a.txt"\r\ncontent-type: text/plain', b"con\r\ntent"
    )
    assert events_of(field + file + END) == [
        PartBegin("replace", None, None),
        PartBytes(b"true"),
        PartEnd(),
        PartBegin("f", "a.txt", "text/plain"),
        PartBytes(b"con\r\ntent"),
        PartEnd(),
    ]


@given(st.randoms(use_true_random=False))
def test_chunking_changes_nothing(chance: random.Random) -> None:
    payload = chance.choice([b"", b"\r\n--xy", b"\r\n--xyz-", b"--xyz\r", b"x" * 50, b"\r\n\r\n--", bytes(range(256))])
    body = file_part("a", payload) + file_part("b", b"\r\n" * 9 + payload) + END
    cuts = sorted(chance.randrange(len(body)) for _ in range(chance.randrange(12)))
    chunks = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert joined(events_of(*chunks)) == joined(events_of(body))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("a.txt", "a.txt"),
        ("dir/a.txt", "a.txt"),
        ("../../a.txt", "a.txt"),
        ("C:\\\\dir\\\\a.txt", "a.txt"),
        ("..\\\\a.txt", "a.txt"),
        ("a%22b%0D%0A.txt", 'a"b\r\n.txt'),
        ("100%25", "100%25"),
        ("słoń.txt", "słoń.txt"),
        ("", ""),
        ("..", ".."),
    ],
)
def test_file_names(sent: str, expected: str) -> None:
    begin = events_of(file_part(sent, b"") + END)[0]
    assert begin == PartBegin("file", expected, None)


@pytest.mark.parametrize("cut", [1, 3, 4, 9])
def test_a_form_without_its_closing_boundary_is_malformed(cut: int) -> None:
    body = file_part("a", b"content") + END
    with pytest.raises(MalformedForm):
        events_of(body[: -2 - cut])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        b"--abc\r\n",
        part("no colon", b"x") + END,
        part("Content-Type: text/plain", b"x") + END,
        part("Content-Disposition: attachment; name=a", b"x") + END,
        part("Content-Disposition: form-data", b"x") + END,
        part('Content-Disposition: form-data; name="a"\r\n : x', b"x") + END,
        b"--xyz \tx\r\n",
        b"--xyzz\r\n",
        b"x--xyz--",
    ],
)
def test_malformed_bodies(body: bytes) -> None:
    with pytest.raises(MalformedForm):
        events_of(body)


NAMED = 'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize("chunk_size", [1, 64, 1 << 20])
@pytest.mark.parametrize(
    "body",
    [
        part(f"X: {'y' * 9000}\r\n{NAMED}", b"x") + END,
        part("X: y\r\n" * 16 + NAMED, b"x") + END,
        part(f"X: {'y' * 700}\r\n" * 12 + NAMED, b"x") + END,
        b"--xyz\r\n" + b"X" * 10_000,
        b"--xyz\r\nX:" + b" " * 10_000,
        b"\r\n" * 2100 + part(NAMED, b"x") + END,
        b"no form at all" * 400,
        part(NAMED, b"x") + END + b"\r\n" * 2100,
    ],
)
def test_bounds(body: bytes, chunk_size: int) -> None:
    with pytest.raises(FormTooComplex):
        events_of(*[body[start : start + chunk_size] for start in range(0, len(body), chunk_size)])


@pytest.mark.parametrize("chunk_size", [1, 64, 1 << 20])
def test_the_last_allowed_byte_and_the_next(chunk_size: int) -> None:
    limits = FormLimits(parts=1, headers=1, header_size=len(NAMED), padding_size=9)
    for before, after, is_allowed in [(9, 9, True), (10, 9, False), (9, 10, False)]:
        padded = b"p" * (before - 2) + b"\r\n" + part(NAMED, b"x") + b"--xyz--" + b"e" * after
        chunks = [padded[start : start + chunk_size] for start in range(0, len(padded), chunk_size)]
        if is_allowed:
            assert joined(events_of(*chunks, limits=limits)) == [PartBegin("a", None, None), PartBytes(b"x"), PartEnd()]
        else:
            with pytest.raises(FormTooComplex):
                events_of(*chunks, limits=limits)


def test_an_empty_form_is_whole() -> None:
    assert events_of(b"--xyz--") == []
    assert events_of(b"preamble\r\n--xyz--\r\nepilogue") == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=" + "x" * 71,
        "multipart/mixed; boundary=xyz",
    ],
)
def test_malformed_content_types(content_type: str) -> None:
    with pytest.raises(MalformedForm):
        events_of(END, content_type=content_type)


def test_a_quoted_boundary_is_fine() -> None:
    assert events_of(file_part("a", b"x") + END, content_type='Multipart/Form-Data; Boundary="xyz"')


def test_parts_are_counted() -> None:
    assert len(events_of(file_part("a", b"") * 3 + END, limits=FormLimits(parts=3))) == 6
    with pytest.raises(FormTooComplex):
        events_of(file_part("a", b"") * 4 + END, limits=FormLimits(parts=3))


def test_a_little_after_the_closing_boundary_is_passed_over_and_much_refused() -> None:
    assert events_of(file_part("a", b"x") + END, b"\r\n" * 100)
    with pytest.raises(FormTooComplex):
        events_of(file_part("a", b"x") + END, *[b"\r\n" * 1000] * 5)


@pytest.mark.parametrize("almost", [b"\r\n--xy", b"\r\n--xyzz", b"\r\n--xyz-", b"\r", b"\r\n--xyz\r", b"-"])
def test_a_body_of_near_boundaries_passes_through(almost: bytes) -> None:
    payload = almost * (2_000_000 // len(almost))
    body = file_part("a", payload) + END
    events = events_of(*[body[start : start + 65_536] for start in range(0, len(body), 65_536)])
    assert sum(isinstance(event, PartBytes) for event in events) <= len(body) // 65_536 + 1
    (_, passed, _) = joined(events)
    assert passed == PartBytes(payload)


WORDS = [
    b"\r\n",
    b"--",
    b"xyz",
    b"\r",
    b"\n",
    b"-",
    b" ",
    b"x",
    NAMED.encode(),
    b"\r\n--xyz\r\n",
    b"\r\n--xyz--",
    b"X: y",
]


def outcome(*chunks: bytes) -> list[FormEvent] | type[Exception]:
    try:
        return joined(events_of(*chunks))
    except (MalformedForm, FormTooComplex) as error:
        return type(error)


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(b"".join))
def test_any_bytes_are_read_alike_at_once_and_one_by_one(noise: bytes) -> None:
    for body in (noise, part(NAMED, noise) + END):
        assert outcome(body) == outcome(*[bytes([each]) for each in body])

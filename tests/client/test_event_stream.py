"""Server-sent events as the client reads them: the grammar of WHATWG HTML s.9.2.5 and 9.2.6, however bytes arrive."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fileserver.client.errors import Failed
from fileserver.client.event_stream import Event, EventReader
from fileserver.http import event_stream

TEXTS = some.text(some.sampled_from("ab:é \n"), max_size=12)
KINDS = some.none() | some.sampled_from(["created", "comment"])


def read(blocks: Iterable[bytes]) -> list[Event]:
    reader = EventReader()
    return [event for block in blocks for event in reader.feed(block)]


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"data: a\n\n", [Event("message", "a", "")]),
        (b"data:a\r\rdata:  b\r\r", [Event("message", "a", ""), Event("message", " b", "")]),
        (b"\xef\xbb\xbfdata: a\r\n\r\n", [Event("message", "a", "")]),
        (b"data: a\ndata\ndata: b\n\n", [Event("message", "a\n\nb", "")]),
        (b"data\n\n", [Event("message", "", "")]),
        (b": a comment\n\n:\n\n", []),
        (b"event: created\n\ndata: a\n\n", [Event("message", "a", "")]),
        (b"id: 1\ndata: a\n\ndata: b\n\n", [Event("message", "a", "1"), Event("message", "b", "1")]),
        (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [Event("message", "a", "1"), Event("message", "b", "")]),
        (b"id: 1\nid: 2\0\ndata: a\n\n", [Event("message", "a", "1")]),
        (b"unknown: x\nDATA: b\ndata: a\n\n", [Event("message", "a", "")]),
        (b"data: \xff\n\n", [Event("message", "\ufffd", "")]),
        (b"data: cut off\n", []),
    ],
)
def test_what_is_an_event(sent: bytes, events: list[Event]) -> None:
    assert read([sent]) == events
    assert read(bytes([byte]) for byte in sent) == events


@given(some.lists(some.tuples(KINDS, TEXTS)), some.lists(some.integers(1, 40)), some.sampled_from(["\n", "\r", "\r\n"]))
def test_blocks_may_end_anywhere(events: list[tuple[str | None, str]], sizes: list[int], line_end: str) -> None:
    written = [event_stream.event(text, kind=kind, last_id=str(n)) for n, (kind, text) in enumerate(events)]
    rest = b"".join(written).replace(b"\n", line_end.encode())
    blocks = []
    for size in sizes:
        blocks.append(rest[:size])
        rest = rest[size:]
    expected = [Event(kind or "message", text, str(n)) for n, (kind, text) in enumerate(events)]
    assert read([*blocks, rest]) == expected


@pytest.mark.parametrize(
    ("sent", "begins_after"),
    [
        (b"", None),
        (b"retry: 1\nid: 9\n", None),
        (b"retry: 1\nid: 9\n\nid: 10\ndata: a\n\nid: 11\n\n", "9"),
        (b"retry: 1\n\nid: 10\ndata: a\n\n", "7"),
        (b"id: 10\ndata: a\n\n", "7"),
    ],
)
def test_where_an_answer_begins(sent: bytes, begins_after: str | None) -> None:
    reader = EventReader("7")
    reader.feed(sent)
    assert reader.begins_after == begins_after


def test_an_event_that_ends_in_cr_is_told_before_more_comes() -> None:
    reader = EventReader()
    assert reader.feed(b"data: a\r\r") == [Event("message", "a", "")]
    assert reader.feed(b"\ndata: b\r\n\r") == [Event("message", "b", "")]


def test_the_place_to_go_on_from_moves_with_what_came_whole() -> None:
    reader = EventReader("5")
    reader.feed(event_stream.preamble(retry_ms=2500, last_id="7"))
    assert (reader.last_id, reader.retry_s) == ("7", 2.5)
    reader.feed(b"id: 8\ndata: cut off\n")
    assert reader.last_id == "7"
    reader.feed(event_stream.comment() + event_stream.position("9"))
    assert reader.last_id == "9"


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "²"])
def test_a_retry_that_is_no_number_asks_for_nothing(value: str) -> None:
    reader = EventReader()
    reader.feed(f"retry: {value}\n\n".encode())
    assert reader.retry_s == 0


@pytest.mark.parametrize("line", [b"data: " + bytes(64 * 1024), b"data: " + bytes(64 * 1024) + b"\n"])
def test_an_event_without_an_end_is_not_kept_for_ever(line: bytes) -> None:
    reader = EventReader()
    with pytest.raises(Failed, match="does not end"):
        for _ in range(1000):
            reader.feed(line)

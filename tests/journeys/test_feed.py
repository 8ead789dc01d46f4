"""Somebody watches what happens to the files: each change at once, from where they were, in the framing they like."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.listener import ACCEPT, Framing, listen
from tests.support.server import Serve, Server, running_server
from tests.support.wire import Connection, request, request_bytes

both = pytest.mark.parametrize("framing", ["sse", "ndjson"])


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server."""
    with running_server(tmp_path_factory.mktemp("feed")) as server:
        yield server


def test_curl_shows_a_change_at_once(feed: Server) -> None:
    command = ["curl", "-q", "-sS", "-N", f"{feed.url}/events"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout is not None
        assert curl.stdout.readline() == "retry: 2000\n"  # it listens
        _store(feed, "curl.txt")
        data = next(line for line in curl.stdout if line.startswith("data: "))
        curl.terminate()
    assert json.loads(data.removeprefix("data: "))["key"] == "curl.txt"


@both
def test_a_file_s_life_is_told(feed: Server, framing: Framing) -> None:
    key = f"life/{framing} ü.txt"
    path = f"/files/life/{framing}%20%C3%BC.txt"
    with listen(feed.port, framing=framing) as stream:
        stream.begun()
        for body in (b"first", b"second!"):
            assert request(feed.port, "PUT", path, body=body).status in (201, 204, 200)
        assert request(feed.port, "DELETE", path).status == 204
        created, replaced, deleted = (stream.next() for _ in range(3))
    assert [created.kind, replaced.kind, deleted.kind] == ["created", "replaced", "deleted"]
    assert {change.content["key"] for change in (created, replaced, deleted)} == {key}
    assert (created.content["size"], replaced.content["size"]) == (5, 7)
    assert created.content["href"] == path
    assert created.content["etag"] != replaced.content["etag"]
    numbers = [int(str(change.content["id"])) for change in (created, replaced, deleted)]
    assert numbers == sorted(set(numbers))
    assert [change.last_id for change in (created, replaced, deleted)] == [str(number) for number in numbers]


def test_uploads_and_forms_are_told_as_puts_are(feed: Server) -> None:
    with listen(feed.port) as stream:
        stream.begun()
        begun = request(
            feed.port,
            "POST",
            "/uploads",
            ("Tus-Resumable", "1.0.0"),
            ("Upload-Length", "3"),
            ("Upload-Metadata", "filename dHVzLmJpbg=="),
            ("Content-Type", "application/offset+octet-stream"),
            body=b"abc",
        )
        assert begun.status == 201
        assert stream.until("created").content["key"] == "tus.bin"
        boundary = "next"
        part = b'--next\r\nContent-Disposition: form-data; name="file"; filename="form.txt"\r\n\r\nabc\r\n--next--\r\n'
        kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
        assert request(feed.port, "POST", "/files/", kind, body=part).status in (200, 201)
        assert stream.until("created").content["key"] == "form.txt"


@both
def test_nobody_may_keep_or_hold_back_a_live_answer(feed: Server, framing: Framing) -> None:
    with listen(feed.port, framing=framing) as stream:
        head = stream.head
    expected = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
    assert {name: head.get(name) for name in expected} == expected
    assert "accept" in (head.get("vary") or "").lower()
    assert head.get("content-encoding") is None


@both
def test_head_tells_of_the_stream_and_ends(feed: Server, framing: Framing) -> None:
    with listen(feed.port, framing=framing) as stream:
        headers = dict(stream.head.fields)
    answer = request(feed.port, "HEAD", "/events", ("Accept", ACCEPT[framing]))
    told = dict(answer.head.fields)
    changing = {"date", "transfer-encoding", "connection"}
    assert answer.status == 200
    assert {name: told[name] for name in told if name not in changing} == {
        name: headers[name] for name in headers if name not in changing
    }


@both
def test_who_is_cut_off_before_the_first_change_comes_back_to_where_they_were(feed: Server, framing: Framing) -> None:
    with listen(feed.port, framing=framing) as stream:
        last_id = stream.begun().last_id
    assert last_id is not None
    _store(feed, f"cut/{framing}-1.txt", f"cut/{framing}-2.txt")
    with listen(feed.port, "/events", ("Last-Event-ID", last_id), framing=framing) as stream:
        stream.begun()
        keys = [stream.next().content["key"] for _ in range(2)]
    assert keys == [f"cut/{framing}-1.txt", f"cut/{framing}-2.txt"]


def test_a_stream_says_once_when_to_come_back(feed: Server) -> None:
    with Connection(feed.port) as connection:
        connection.send(request_bytes("GET", "/events?follow=false&last_event_id=0", ("Accept", ACCEPT["sse"])))
        body = connection.answer().body
    assert body.count(b"retry: ") == 1
    assert body.startswith(b"retry: 2000\nid: ")


def test_the_header_wins_over_the_address(feed: Server) -> None:
    with listen(feed.port) as stream:
        first = stream.begun().last_id
        _store(feed, "wins/1.txt", "wins/2.txt")
        second = stream.next().last_id
    assert first is not None
    assert second is not None
    target = f"/events?last_event_id={first}"
    with listen(feed.port, target) as stream:
        assert stream.next().content["key"] == "wins/1.txt"
    with listen(feed.port, target, ("Last-Event-ID", second)) as stream:
        assert stream.next().content["key"] == "wins/2.txt"


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
@pytest.mark.parametrize("last_id", ["1", "999999999999999", "from-elsewhere", "-3", "7.5", "٣"])
def test_who_missed_something_is_told_so_and_goes_on(feed: Server, framing: Framing, last_id: str) -> None:
    field = ("Last-Event-ID", last_id.encode().decode("latin-1"))
    with listen(feed.port, "/events", field, framing=framing) as stream:
        reset = stream.until("reset")
        _store(feed, f"reset/{framing}/{last_id}.txt")
        after = stream.next()
    assert reset.last_id is not None
    assert after.content["key"] == f"reset/{framing}/{last_id}.txt"
    with listen(feed.port, "/events", ("Last-Event-ID", reset.last_id), framing=framing) as stream:
        assert stream.begun().next().content["key"] == f"reset/{framing}/{last_id}.txt"


def test_an_id_of_another_folder_s_feed_is_noticed(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = serve(tmp_path / "one")
    _store(one, "a.txt")
    with listen(one.port, "/events?last_event_id=0") as stream:
        last_id = stream.until("created").last_id
    assert last_id is not None
    other = serve(tmp_path / "other")
    _store(other, "b.txt")
    with listen(other.port, "/events", ("Last-Event-ID", last_id)) as stream:
        assert stream.next().kind == "reset"


@both
def test_filters(feed: Server, framing: Framing) -> None:
    folder = f"filters-{framing}"
    with listen(feed.port, framing=framing) as stream:
        start = stream.begun().last_id
    _store(feed, f"{folder}/a.txt", f"{folder}-not/b.txt", f"{folder}/c/d.txt")
    for key in (f"{folder}/a.txt", f"{folder}-not/b.txt"):
        assert request(feed.port, "DELETE", f"/files/{key}").status == 204

    def told(query: str) -> list[tuple[str, str]]:
        target = f"/events?follow=false&last_event_id={start}&{query}"
        with listen(feed.port, target, framing=framing) as stream:
            changes = [(record.kind, record.content.get("key", "")) for record in stream]
        return [change for change in changes if change[0] not in ("meta", "end")]

    assert told(f"prefix={folder}/") == [
        ("created", f"{folder}/a.txt"),
        ("created", f"{folder}/c/d.txt"),
        ("deleted", f"{folder}/a.txt"),
    ]
    assert told(f"prefix={folder}&kind=deleted") == [("deleted", f"{folder}/a.txt"), ("deleted", f"{folder}-not/b.txt")]
    assert told(f"prefix={folder}/c/&kind=created,deleted") == [("created", f"{folder}/c/d.txt")]
    assert told(f"prefix={folder}&kind=created&kind=replaced") == [
        ("created", f"{folder}/a.txt"),
        ("created", f"{folder}-not/b.txt"),
        ("created", f"{folder}/c/d.txt"),
    ]
    assert told(f"prefix={folder}%2Fc") == [("created", f"{folder}/c/d.txt")]
    assert told("prefix=nowhere/") == []


def test_a_listener_that_filters_is_not_behind_when_it_comes_back(feed: Server) -> None:
    with listen(feed.port, "/events?prefix=quiet/") as stream, listen(feed.port) as loud:
        stream.begun()
        loud.begun()
        _store(feed, "loud/1.txt", "quiet/2.txt")
        last = loud.until("created", key="quiet/2.txt").last_id
        assert stream.next().content["key"] == "quiet/2.txt"
        assert stream.last_id == last


@pytest.mark.parametrize("query", ["kind=", "kind=created,", "prefix="])
def test_an_empty_filter_is_none(feed: Server, query: str) -> None:
    with listen(feed.port, f"/events?{query}") as stream:
        stream.begun()
        _store(feed, "anything.txt")
        assert stream.next().content["key"] == "anything.txt"
        request(feed.port, "DELETE", "/files/anything.txt")


@pytest.mark.parametrize("query", ["kind=exploded", "kind=created,exploded", "last_event_id=x", "last_event_id=-1"])
def test_a_question_without_sense_is_refused(feed: Server, query: str) -> None:
    answer = request(feed.port, "GET", f"/events?{query}")
    assert answer.status == 400
    assert answer.head.get("content-type") == "application/problem+json"


def test_what_has_been_is_an_answer_with_an_end(feed: Server) -> None:
    with listen(feed.port) as stream:
        start = stream.begun().last_id
    keys = [f"been/{number}.txt" for number in range(30)]
    _store(feed, *keys)
    with listen(feed.port, f"/events?follow=false&last_event_id={start}", framing="ndjson") as stream:
        meta, *changes, end = stream
    assert [change.content["key"] for change in changes] == keys
    assert (meta.kind, end.kind, end.content) == ("meta", "end", {"records": 30})


def test_both_framings_give_signs_of_life(feed: Server) -> None:
    with listen(feed.port) as events, listen(feed.port, framing="ndjson") as lines:
        before = events.begun().last_id
        lines.begun()
        lines.silence()  # both wait out the same quarter of a minute
        events.silence()
    assert events.last_id == lines.last_id == before


@both
def test_a_server_that_stops_ends_its_streams_at_once_and_properly(
    serve: Serve, tmp_path: Path, framing: Framing
) -> None:
    server = serve(tmp_path)
    streams = [listen(server.port, framing=framing).begun() for _ in range(20)]
    _store(server, "last.txt")
    for stream in streams:
        assert stream.next().content["key"] == "last.txt"
    server.process.send_signal(signal.SIGTERM)
    for stream in streams:
        left = list(stream)  # raises Truncated where a stream is torn
        assert [record.kind for record in left] == (["end"] if framing == "ndjson" else [])
        stream.connection.close()
    assert server.process.wait(5) == 0, server.log()
    assert "cut" not in server.log()


def _store(server: Server, *keys: str) -> None:
    for key in keys:
        assert request(server.port, "PUT", f"/files/{quote(key)}", body=b"x").status == 201

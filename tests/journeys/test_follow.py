"""A person watches a file that is still being uploaded: by pieces, in one request, by a form."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.files import MIB, known_bytes
from tests.support.followers import BLOCK, followed, follower, sending
from tests.support.server import Server, running_server, wait_until
from tests.support.wire import Truncated, request
from tests.uploads.dialects import Draft, Tus, checksum, digest, fresh_key, stored

CONTENT = known_bytes(100_000)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A writable server; tests take keys of their own."""
    with running_server(tmp_path_factory.mktemp("followed")) as server:
        yield server


@pytest.fixture
def tus(store: Server) -> Tus:
    return Tus(store)


@pytest.fixture
def draft(store: Server) -> Draft:
    return Draft(store)


def test_an_upload_in_pieces_arrives_as_it_comes(store: Server, tus: Tus) -> None:
    key = fresh_key("film.bin")
    target = tus.create(key, len(CONTENT))
    with follower(store, key) as (connection, head):
        assert (head.status, head.get("content-length")) == (200, str(len(CONTENT)))
        for start in range(0, len(CONTENT), 30_000):
            piece = CONTENT[start : start + 30_000]
            assert tus.patch(target, start, piece).status == 204
            assert connection.read(len(piece)) == piece
        assert connection.ending() == (b"", "close")
    assert stored(store, key) == CONTENT


def test_what_is_not_decided_yet_is_not_told(store: Server, tus: Tus) -> None:
    key = fresh_key("notes.txt")
    tus.begin(key, 1000, b"<script>hello</script>")
    head = followed(store, key, method="HEAD").head
    assert head.get("content-type") == "text/html; charset=utf-8"
    assert (head.get("cache-control"), head.get("x-accel-buffering")) == ("no-store", "no")
    assert (head.get("accept-ranges"), head.get("content-length")) == ("bytes", "1000")
    assert (head.get("etag"), head.get("last-modified"), head.get("repr-digest")) == (None, None, None)


def test_it_is_guarded_as_a_stored_file_is(store: Server, tus: Tus) -> None:
    key = fresh_key("page.html")
    content = b"<!doctype html><script>alert(1)</script>"
    target = tus.begin(key, len(content) + 1, content)
    coming = followed(store, key, method="HEAD").head
    tus.patch(target, len(content), b"\n")
    kept = request(store.port, "HEAD", f"/files/{key}").head
    guards = ("content-type", "content-disposition", "content-security-policy", "x-content-type-options")
    for name in (*guards, "cross-origin-resource-policy", "referrer-policy"):
        assert coming.get(name) == kept.get(name) is not None


def test_a_type_is_not_guessed_before_bytes_have_come(store: Server, tus: Tus) -> None:
    key = fresh_key("notes.txt")
    tus.create(key, 10)
    assert followed(store, key, method="HEAD").head.get("content-type") == "application/octet-stream"


@pytest.mark.parametrize(
    ("asked", "told", "span"),
    [
        ("bytes=0-9", "bytes 0-9/100000", range(10)),
        ("bytes=5-59999", "bytes 5-59999/100000", range(5, 60_000)),
        ("bytes=70000-", "bytes 70000-99999/100000", range(70_000, 100_000)),
        ("bytes=-10", "bytes 99990-99999/100000", range(99_990, 100_000)),
    ],
)
def test_a_range_is_answered_exactly_once_it_has_come(
    store: Server, tus: Tus, asked: str, told: str, span: range
) -> None:
    key = fresh_key()
    target = tus.begin(key, len(CONTENT), CONTENT[:7])
    with follower(store, key, ("Range", asked)) as (connection, head):
        assert (head.status, head.get("content-range")) == (206, told)
        assert head.get("content-length") == str(len(span))
        assert tus.patch(target, 7, CONTENT[7:]).status == 204
        assert connection.body(head) == CONTENT[span.start : span.stop]


def test_several_ranges_come_in_the_order_asked_for(store: Server, tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, len(CONTENT), CONTENT[:7])
    with follower(store, key, ("Range", "bytes=90000-90009, 0-4")) as (connection, head):
        assert head.status == 206
        assert tus.patch(target, 7, CONTENT[7:]).status == 204
        body = connection.body(head)
    assert 0 < body.index(CONTENT[90_000:90_010]) < body.index(b"\r\n\r\n" + CONTENT[:5] + b"\r\n--")


def test_a_range_that_has_come_does_not_wait_for_the_rest(store: Server, tus: Tus) -> None:
    key = fresh_key()
    tus.begin(key, len(CONTENT), CONTENT[:5000])
    answer = followed(store, key, ("Range", "bytes=100-4999"))
    assert (answer.status, answer.body) == (206, CONTENT[100:5000])


@pytest.mark.parametrize("asked", ["bytes=100000-", "bytes=100000-100001"])
def test_a_range_past_the_promised_end_is_416(store: Server, tus: Tus, asked: str) -> None:
    key = fresh_key()
    tus.create(key, len(CONTENT))
    answer = followed(store, key, ("Range", asked))
    assert (answer.status, answer.head.get("content-range")) == (416, "bytes */100000")


def test_no_validator_can_hold(store: Server, tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, 10, b"12345")
    assert followed(store, key, ("If-Match", '"arriving"')).status == 412
    with follower(store, key, ("Range", "bytes=0-1"), ("If-Range", 'W/"arriving"')) as (connection, head):
        assert head.status == 200
        tus.patch(target, 5, b"67890")
        assert connection.body(head) == b"1234567890"


def test_without_a_length_it_ends_with_the_file_and_has_no_ranges(store: Server, draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, CONTENT[:10])
    with follower(store, key, ("Range", "bytes=5-")) as (connection, head):
        assert (head.status, head.get("accept-ranges")) == (200, "none")
        assert (head.get("content-length"), head.get("transfer-encoding")) == (None, "chunked")
        assert draft.patch(target, 10, CONTENT[10:50_000]).status == 204
        assert draft.finish(target, 50_000, CONTENT[50_000:]).status in (200, 201)
        assert connection.body(head) == CONTENT


def test_who_asks_by_head_gets_the_head_at_once(store: Server, tus: Tus) -> None:
    key = fresh_key()
    tus.create(key, 10)
    answer = followed(store, key, method="HEAD")
    assert (answer.status, answer.head.get("content-length"), answer.body) == (200, "10", b"")


def test_an_upload_that_is_given_up_tears_the_answer(store: Server, tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, len(CONTENT), CONTENT[:5000])
    with follower(store, key) as (connection, head):
        assert connection.read(5000) == CONTENT[:5000]
        assert tus.ask("DELETE", target).status == 204
        with pytest.raises(Truncated):
            connection.body(head)


def test_without_a_length_too(store: Server, draft: Draft) -> None:
    key = fresh_key()
    target = draft.create(key, CONTENT[:5000])
    with follower(store, key) as (connection, head):
        assert draft.ask("DELETE", target).status == 204
        with pytest.raises(Truncated):
            connection.body(head)


def test_a_file_that_is_not_what_was_promised_never_comes_whole(store: Server, tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, len(CONTENT), digest("Repr-Digest", b"something else"))
    with follower(store, key) as (connection, head):
        assert tus.patch(target, 0, CONTENT).status == 400
        with pytest.raises(Truncated) as cut:
            connection.body(head)
    assert len(cut.value.received) < len(CONTENT)
    assert stored(store, key) is None


def test_bytes_that_fail_their_checksum_are_never_shown(store: Server, tus: Tus) -> None:
    key = fresh_key()
    target = tus.begin(key, len(CONTENT), CONTENT[:5000])
    with follower(store, key) as (connection, _):
        assert connection.read(5000) == CONTENT[:5000]
        for _ in range(5):
            wrong = tus.patch(target, 5000, b"w" * 50_000, checksum(CONTENT[5000:55_000]))
            assert wrong.status == 460
        right = tus.patch(target, 5000, CONTENT[5000:55_000], checksum(CONTENT[5000:55_000]))
        assert right.status == 204
        assert tus.patch(target, 55_000, CONTENT[55_000:]).status == 204
        assert connection.read(len(CONTENT) - 5000) == CONTENT[5000:]


def test_the_upload_that_bytes_came_to_last_is_followed(store: Server, tus: Tus) -> None:
    key = fresh_key()
    first, _second = tus.begin(key, 20, b"1" * 10), tus.begin(key, 20, b"2" * 10)
    with follower(store, key) as (connection, _):
        assert connection.read(10) == b"2" * 10
    assert tus.patch(first, 10, b"1").status == 204
    with follower(store, key) as (connection, _):
        assert connection.read(11) == b"1" * 11


def test_without_an_upload_it_is_the_stored_file_or_nothing(store: Server, tus: Tus) -> None:
    key = fresh_key()
    assert followed(store, key).status == 404
    tus.begin(key, 5, b"12345")
    answer = followed(store, key, ("Range", "bytes=1-2"))
    assert (answer.status, answer.body) == (206, b"23")
    assert answer.head.get("etag") is not None


def test_a_file_replaced_while_it_is_read_goes_on_to_its_own_end(store: Server, tus: Tus) -> None:
    key, content = fresh_key(), known_bytes(32 * MIB)
    target = tus.begin(key, len(content), content[:MIB])
    with follower(store, key) as (connection, _):
        assert connection.read(1) == content[:1]
        assert tus.patch(target, MIB, content[MIB:]).status == 204
        assert request(store.port, "PUT", f"/files/{key}", body=b"another").status == 200
        assert connection.read(len(content) - 1) == content[1:]
    assert stored(store, key) == b"another"


@pytest.mark.parametrize("length", [None, 200 * MIB])
def test_a_plain_upload_arrives_as_it_comes(store: Server, length: int | None) -> None:
    key = fresh_key()
    with sending(store, "PUT", f"/files/{key}", length=length) as sender:
        sender.until_followed(store, key)
        with follower(store, key) as (connection, head):
            assert (head.get("content-length"), head.status) == (None if length is None else str(length), 200)
            if length is not None:
                assert connection.read(len(sender.sent)) == sender.sent
                return
            rest = known_bytes(5 * BLOCK + 7)
            assert sender.end(rest).status == 201
            assert connection.body(head) == sender.sent


def test_a_plain_upload_that_breaks_off_tears_the_answer(store: Server) -> None:
    key = fresh_key()
    with sending(store, "PUT", f"/files/{key}") as sender:
        sender.until_followed(store, key)
        with follower(store, key) as (connection, head):
            sender.leave()
            with pytest.raises(Truncated):
                connection.body(head)
    assert followed(store, key).status == 404


def test_a_plain_upload_that_is_not_what_was_promised_never_comes_whole(store: Server) -> None:
    key, length = fresh_key(), 4096 * BLOCK
    wrong = digest("Content-Digest", b"something else")
    with sending(store, "PUT", f"/files/{key}", wrong, length=length) as sender:
        sender.until_followed(store, key)
        with follower(store, key) as (connection, head):
            assert sender.end(bytes(length - len(sender.sent))).status == 400
            with pytest.raises(Truncated) as cut:
                connection.body(head)
    assert len(cut.value.received) < length


def test_a_file_of_a_form_arrives_as_it_comes(store: Server) -> None:
    key = fresh_key("form.bin")
    folder, _, name = key.rpartition("/")
    part = f'--xyz\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
    lines = (("Content-Type", "multipart/form-data; boundary=xyz"),)
    with sending(store, "POST", f"/files/{folder}/", *lines) as sender:
        sender.send(part)
        sender.until_followed(store, key)
        with follower(store, key) as (connection, head):
            assert sender.end(b"\r\n--xyz--\r\n").status == 201
            content = bytes(sender.sent[len(part) : -len(b"\r\n--xyz--\r\n")])
            assert connection.body(head) == stored(store, key) == content


def test_every_process_follows_what_another_takes_in(tmp_path: Path) -> None:
    with running_server(tmp_path, "--workers", "2") as server:
        tus, key = Tus(server), fresh_key()
        target = tus.begin(key, len(CONTENT), CONTENT[:10])
        with sending(server, "PUT", "/files/plain.bin") as sender:
            sender.until_followed(server, "plain.bin")
            uploaded = [follower(server, key) for _ in range(8)]
            plain = [follower(server, "plain.bin") for _ in range(8)]
            opened = [each.__enter__() for each in (*uploaded, *plain)]
            assert tus.patch(target, 10, CONTENT[10:]).status == 204
            assert sender.end(b"end").status == 201
            bodies = [connection.body(head) for connection, head in opened]
            assert bodies == [CONTENT] * 8 + [bytes(sender.sent)] * 8
            for each in (*uploaded, *plain):
                each.__exit__(None, None, None)


def test_a_server_that_stops_tears_the_answer_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        Tus(server).begin("a", 10, b"12345")
        with follower(server, "a") as (connection, head):
            assert connection.read(5) == b"12345"
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(Truncated):
                connection.body(head)
        assert server.process.wait(10) is not None


def test_who_leaves_leaves_nothing_open(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        Tus(server).begin("a", 10, b"12345")
        followed(server, "a", method="HEAD")
        before = server.stats().descriptors
        for _ in range(20):
            with follower(server, "a") as (connection, _):
                connection.read(5)
                connection.reset()
        wait_until(lambda: server.stats().descriptors, lambda count: count <= before)

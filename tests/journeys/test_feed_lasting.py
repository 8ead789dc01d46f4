"""The feed through what may happen to it: a killed server, several processes, a bad network, listeners that sleep."""

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.cutting_proxy import cutting_proxy
from tests.support.listener import Framing, Listener, Stream, listen
from tests.support.nginx import free_port
from tests.support.process import process_stats
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Connection, Truncated, request, request_bytes

both = pytest.mark.parametrize("framing", ["sse", "ndjson"])

_WRITERS = 4
_KILLS = 3
# What each of them is to be told, 2.4 MB, is more than a kernel keeps for a connection that takes nothing.
_SLOW = 40
_CHANGES = 400
_LONG = "/".join(["ü" * 120] * 4)


@both
def test_a_killed_server_tells_of_each_committed_file_once(serve: Serve, tmp_path: Path, framing: Framing) -> None:
    port, chance = free_port(), random.Random(7)
    server = serve(tmp_path, "--port", str(port))
    with Listener(port, framing=framing) as listener:
        wait_until(lambda: listener.last_id)
        with _writers(port) as acknowledged:
            for _ in range(_KILLS):
                enough = len(acknowledged) + chance.randint(10, 60)
                wait_until(lambda enough=enough: len(acknowledged) >= enough, timeout_s=20)  # type: ignore[misc]
                server.kill()
                server = serve(tmp_path, "--port", str(port))
        stored = set(server.stored())
        assert set(acknowledged) <= stored
        wait_until(lambda: set(listener.keys("created")) >= stored, timeout_s=20)
        numbers = listener.numbers()
        kinds = {record.kind for record in listener.records}
    assert sorted(listener.keys("created")) == sorted(stored)
    assert numbers == sorted(set(numbers))
    assert listener.times > _KILLS
    assert kinds <= {"created", "meta", "end", "error"}


@both
def test_a_network_that_breaks_loses_and_repeats_nothing(serve: Serve, tmp_path: Path, framing: Framing) -> None:
    server = serve(tmp_path)
    keys = [f"{number:03}.txt" for number in range(200)]
    with cutting_proxy(server.port, cuts=25, most_sent=40, most_answered=4096) as network:
        with Listener(network.port, framing=framing) as listener:
            wait_until(lambda: listener.last_id, timeout_s=20)
            for key in keys:
                assert request(server.port, "PUT", f"/files/{key}", body=b"x").status == 201
            wait_until(lambda: len(listener.keys("created")) >= len(keys), timeout_s=30)
        assert network.done, "the network did not break"
    assert listener.keys("created") == keys


def test_every_process_tells_of_the_changes_of_all(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, "--workers", "3")
    with ExitStack() as stack:
        streams = _listeners_of_each_process(server, stack)
        with _writers(server.port) as acknowledged:
            wait_until(lambda: len(acknowledged) >= 120, timeout_s=20)
        expected = set(acknowledged)
        told = [_told(stream, expected) for stream in streams]
    assert all(changes == told[0] for changes in told)
    assert [number for number, _ in told[0]] == sorted({number for number, _ in told[0]})


def test_listeners_that_take_nothing_cost_nothing_and_miss_nothing(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    with ExitStack() as stack:
        slow = [stack.enter_context(listen(server.port, receive_buffer=4096).begun()) for _ in range(_SLOW)]
        _store(server, _LONG, "warm")
        before = server.stats().rss
        names = [f"{number:04}" for number in range(_CHANGES)]
        _store(server, _LONG, *names)
        while_stalled = server.stats().rss - before
        first = [stream.next().content["key"] for stream in slow]
        while_reading = server.stats().rss - before
        keys = [[stream.next().content["key"] for _ in names] for stream in slow]
    assert set(first) == {f"{_LONG}/warm"}
    assert all(told == [f"{_LONG}/{name}" for name in names] for told in keys)
    assert max(while_stalled, while_reading) < 30_000_000


def test_who_was_away_for_too_long_is_told_so(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path, "--feed-lifetime", "1")
    with listen(server.port) as stream:
        start = stream.begun().last_id
    assert start is not None
    _store(server, "a", "1", "2")

    def kinds() -> list[str]:
        target = f"/events?follow=false&last_event_id={start}"
        with listen(server.port, target, framing="ndjson") as stream:
            return [record.kind for record in stream]

    assert kinds() == ["meta", "created", "created", "end"]
    wait_until(kinds, lambda told: told == ["meta", "reset", "end"], timeout_s=20)


@contextmanager
def _writers(port: int) -> Iterator[list[str]]:
    """Threads that store files of unique names, and the names of those whose storing was acknowledged so far."""
    acknowledged: list[str] = []
    is_over = threading.Event()

    def write(writer: int) -> None:
        for number in count():
            if is_over.is_set():
                return
            key = f"{writer}-{number:05}.txt"
            with contextlib.suppress(OSError, Truncated):  # the server is gone: whether this one was stored, it tells
                if request(port, "PUT", f"/files/{key}", body=b"x").status == 201:
                    acknowledged.append(key)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(_WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        is_over.set()
        for thread in threads:
            thread.join(30)


def _store(server: Server, folder: str, *names: str) -> None:
    with Connection(server.port) as connection:
        for name in names:
            target = f"/files/{quote(folder)}/{name}"
            connection.send(request_bytes("PUT", target, ("Connection", "keep-alive"), body=b"x"))
            assert connection.answer().status == 201


def _listeners_of_each_process(server: Server, stack: ExitStack) -> list[Stream]:
    """So many listeners that each process of the server has one."""
    workers = [int(pid) for pid in _children(server.pid)]
    assert len(workers) == 3
    idle = {pid: process_stats(pid).descriptors["socket"] for pid in workers}
    streams: list[Stream] = []
    while any(process_stats(pid).descriptors["socket"] <= idle[pid] for pid in workers):
        assert len(streams) < 200, "one process takes no connection"
        streams.append(stack.enter_context(listen(server.port).begun()))
    return streams


def _children(pid: int) -> list[str]:
    tasks = (f"/proc/{pid}/task/{task}/children" for task in os.listdir(f"/proc/{pid}/task"))
    children = [child for path in tasks for child in Path(path).read_text().split()]
    return [child for child in children if b"fileserver.server.worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _told(stream: Stream, expected: set[str]) -> list[tuple[int, str]]:
    """The numbers and keys of the changes up to when all that was expected has come."""
    told: list[tuple[int, str]] = []
    missing = set(expected)
    while missing:
        change = stream.next()
        told.append((change.content["id"], change.content["key"]))
        missing.discard(change.content["key"])
    return told

"""A thousand listeners of one feed, beside FastAPI's own server-sent events: case `listeners` of benchmarks.streams.

The peer is what its documentation shows, a generator that yields, with an asyncio.Queue for each client, as its users
write it. Both are told of a change by one request, and give it to all who listen.
"""

import http.client
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.load import LoadFailed
from benchmarks.peers import Peer, Server, ours, uvicorn
from benchmarks.processes import cpu_s
from benchmarks.report import Bar, Figures, Results, judge, show
from benchmarks.rounds import Bench, started_each_time
from benchmarks.watching import resident, until

NATIVE = """
import asyncio
from collections.abc import AsyncIterable
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()
queues: set[asyncio.Queue[ServerSentEvent]] = set()

@app.get("/events", response_class=EventSourceResponse)
async def events() -> AsyncIterable[ServerSentEvent]:
    queue: asyncio.Queue[ServerSentEvent] = asyncio.Queue()
    queues.add(queue)
    try:
        while True:
            yield await queue.get()
    finally:
        queues.remove(queue)

@app.put("/files/{name}", status_code=201)
async def change(name: str) -> None:
    for queue in queues:
        queue.put_nowait(ServerSentEvent(event="created", data={"key": name, "size": 7}))

@app.get("/listeners")
async def listeners() -> int:
    return len(queues)
"""
PEERS = (
    Peer("ours", "this server, /events", ours("--allow-write"), "/health", is_written=True),
    Peer("native", "uvicorn, FastAPI's EventSourceResponse", uvicorn(NATIVE), "/listeners"),
)
NAMES = {peer.key: peer.name for peer in PEERS}
COLUMNS = {
    "first s": "{:.3f}",
    "MB added": "{:.1f}",
    "KB each": "{:.1f}",
    "idle CPU %": "{:.2f}",
    "alone ms": "{:.1f}",
    "last ms": "{:.0f}",
    "worst ms": "{:.0f}",
    "CPU ms a change": "{:.0f}",
    "gone s": "{:.2f}",
    "MB left": "{:.1f}",
}
LISTENERS = 1000
IDLE_S = 30.0
CHANGES = 10
PATIENCE_S = 30.0
MB = 1e6


@dataclass(slots=True)
class Crowd:
    """Connections that all listen, read by one thread. `unseen` are those that have not had the word looked for."""

    port: int
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    connections: list[socket.socket] = field(default_factory=list)

    def join(self, count: int) -> None:
        """More listeners: each has the head of its answer."""
        head = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: text/event-stream\r\n\r\n".encode()
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
            connection.sendall(head)
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ)
            self.connections.append(connection)
        self.hear(b"text/event-stream", among=self.connections[-count:])

    def hear(self, word: bytes, *, among: list[socket.socket] | None = None) -> float:
        """The time, of time.perf_counter, at which the last of them had been sent this. Raises LoadFailed."""
        unseen = dict.fromkeys(self.connections if among is None else among, b"")
        ends_s = time.perf_counter() + PATIENCE_S
        while unseen:
            for key, _ in self.selector.select(1.0):
                _listen(key.fileobj, unseen, word)
            if time.perf_counter() > ends_s:
                raise LoadFailed(f"{len(unseen)} listeners have not heard of a change in {PATIENCE_S:.0f} s")
        return time.perf_counter()

    def leave(self) -> None:
        """All of them, at once."""
        for connection in self.connections:
            self.selector.unregister(connection)
            connection.close()
        self.connections.clear()


def listeners(bench: Bench) -> Results:
    """The table and the bars."""
    count, idle_s = (100, 3.0) if bench.is_smoke else (LISTENERS, IDLE_S)

    def measure(server: Server) -> Figures:
        return _measured(server, count, idle_s)

    results = started_each_time(bench, PEERS, measure, title="listeners")
    show(f"{count} idle listeners, {CHANGES} changes", results, NAMES, COLUMNS)
    found = results.get("ours", {})
    judge(
        Bar(f"MB that {count} listeners add", found.get("MB added"), 100),
        Bar("percent of a processor while nothing happens", found.get("idle CPU %"), 5),
        Bar("ms from a change to the last listener, worst", found.get("worst ms"), 1000),
        Bar("ms from a change to a listener that is alone", found.get("alone ms"), 100),
        Bar("seconds until those that left are forgotten", found.get("gone s"), 5),
    )
    return results


def _measured(server: Server, count: int, idle_s: float) -> Figures:
    with _crowd(server) as crowd:
        started_s = time.perf_counter()
        crowd.join(1)
        first_s = time.perf_counter() - started_s
        alone = [_heard(server, crowd, f"alone-{number}.txt") for number in range(CHANGES)]
        before = resident(server.pid)
        crowd.join(count - 1)
        added = resident(server.pid) - before
        idle = _idle_share(server, idle_s)
        spent_s = cpu_s(server.pid)
        heard = [_heard(server, crowd, f"many-{number}.txt") for number in range(CHANGES)]
        spent_s = cpu_s(server.pid) - spent_s
        gone_s = _forgotten(server, crowd)
    return {
        "first s": first_s,
        "MB added": added / MB,
        "KB each": added / (count - 1) / 1e3,
        "idle CPU %": 100 * idle,
        "alone ms": 1e3 * statistics.median(alone),
        "last ms": 1e3 * statistics.median(heard),
        "worst ms": 1e3 * max(heard),
        "CPU ms a change": 1e3 * spent_s / CHANGES,
        "gone s": gone_s,
        "MB left": (resident(server.pid) - before) / MB,
    }


@contextmanager
def _crowd(server: Server) -> Iterator[Crowd]:
    crowd = Crowd(server.site.port)
    try:
        yield crowd
    finally:
        crowd.leave()
        crowd.selector.close()


def _listen(connection: object, unseen: dict[socket.socket, bytes], word: bytes) -> None:
    """Read what has come; who has been sent the word is unseen no more. An answer that ended is a failed load."""
    assert isinstance(connection, socket.socket)
    received = connection.recv(65536)
    if not received:
        raise LoadFailed("an answer that has no end has ended")
    if connection in unseen:
        unseen[connection] += received
        if word in unseen[connection]:
            del unseen[connection]


def _heard(server: Server, crowd: Crowd, name: str) -> float:
    """Seconds from the beginning of a change until the last listener has heard of it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.site.port, timeout=PATIENCE_S)
    connection.connect()
    started_s = time.perf_counter()
    connection.request("PUT", f"/files/{name}", b"content")
    heard_s = crowd.hear(name.encode()) - started_s
    status = connection.getresponse().status
    connection.close()
    if status not in {200, 201}:
        raise LoadFailed(f"a change was answered with {status}")
    return heard_s


def _idle_share(server: Server, seconds: float) -> float:
    """The share of a processor that the server spends while nothing happens."""
    before_s, started_s = cpu_s(server.pid), time.perf_counter()
    time.sleep(seconds)
    return (cpu_s(server.pid) - before_s) / (time.perf_counter() - started_s)


def _forgotten(server: Server, crowd: Crowd) -> float:
    """Seconds from when all leave until the server has none of them any more, by its own count."""
    count = len(crowd.connections)
    if _listening(server) < count:
        raise LoadFailed(f"the server counts {_listening(server)} of {count} listeners")
    started_s = time.perf_counter()
    crowd.leave()
    until(lambda: _listening(server) == 0)
    return time.perf_counter() - started_s


def _listening(server: Server) -> int:
    """How many answers are on their way, that to this question aside."""
    path = "/listeners" if server.peer.key == "native" else "/metrics"
    connection = http.client.HTTPConnection("127.0.0.1", server.site.port, timeout=PATIENCE_S)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    if server.peer.key == "native":
        return int(text)
    lines = [line for line in text.splitlines() if line.startswith("fileserver_open_transfers")]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))

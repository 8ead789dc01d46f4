"""The cases of benchmarks.wire that read: large files, ranges, small files, revalidation, health and listings."""

import http.client
import json
from collections.abc import Callable, Iterable

from benchmarks.load import Answered, Drained, LoadFailed, drain, drain_for, request
from benchmarks.peers import PEERS, TUTORIALS, Server
from benchmarks.processes import cpu_s
from benchmarks.report import Bar, Figures, Results, judge, least, share, show
from benchmarks.rounds import Bench, in_rounds, started_each_time

GIB = 1 << 30
SMALL = 4096
NAMES = {key: peer.name for key, peer in PEERS.items()}
DRAIN_COLUMNS = {"GB/s": "{:.3g}", "CPU s/GB": "{:.3f}", "first byte ms": "{:.2f}"}
REQUEST_COLUMNS = {"requests/s": "{:.0f}", "p50 ms": "{:.2f}", "p99 ms": "{:.2f}"}
MEASURE_S = 2.0
"""A figure of CPU is counted in ticks of 10 ms: two seconds of work make a tick half a percent."""

SLOWNESS = {"lines": 256, "generator": 8, "aiofiles": 8}
"""What the size of a file is divided by for the slow tutorial ways, which would take minutes for the whole of it."""


def drained(server: Server, seconds: float, work: Callable[[], Drained]) -> Figures:
    """The figures of a download that is repeated for so long."""
    before_s = cpu_s(server.pid)
    done = drain_for(seconds, work)
    gigabytes = done.bytes / 1e9
    spent_s = cpu_s(server.pid) - before_s
    return {
        "GB/s": gigabytes / done.seconds,
        "CPU s/GB": spent_s / gigabytes,
        "first byte ms": done.first_byte_s * 1e3,
    }


def large(bench: Bench) -> None:
    """A warm file, whole, on 1, 8 and 64 connections."""
    for connections, size in ((1, GIB), (8, GIB), (64, GIB // 8)):

        def measure(server: Server, connections: int = connections, size: int = size) -> Figures:
            own_size = bench.size(size // SLOWNESS.get(server.peer.key, 1))
            path = server.path(bench.file(own_size))
            return drained(
                server,
                bench.seconds(MEASURE_S),
                lambda: drain(server.site.port, path, connections=connections, size=own_size),
            )

        results = in_rounds(bench, PEERS.values(), measure, title=f"large at {connections}")
        show(f"large: {bench.size(size) >> 20} MiB, connections: {connections}", results, NAMES, DRAIN_COLUMNS)
        if connections < 64:
            judge(*large_bars(results, connections))


def large_bars(results: Results, connections: int) -> Iterable[Bar]:
    """What the downloads have to clear."""
    at = f"at {connections}"
    cpu, speed = "CPU s/GB", "GB/s"
    yield Bar(f"CPU per GB {at}, of nginx's with sendfile", share(results, cpu, "nginx"), 1.05)
    yield Bar(f"GB/s {at}, of nginx's with sendfile", share(results, speed, "nginx"), 0.95, is_at_most=False)
    less = share(results, cpu, "ours", of="file-response")
    yield Bar(f"CPU per GB {at}, FileResponse's of ours", less, 8, is_at_most=False)
    copying = share(results, speed, "file-response", of="ours-copying")
    yield Bar(f"GB/s {at} with --no-zero-copy, of FileResponse's", copying, 2, is_at_most=False)


def ranges(bench: Bench) -> None:
    """One file in eight ranges at once, as a download manager fetches it."""
    size = bench.size(GIB)
    path = bench.file(size)

    def measure(server: Server) -> Figures:
        return drained(
            server,
            bench.seconds(MEASURE_S),
            lambda: drain(server.site.port, server.path(path), connections=8, size=size, ranges=True),
        )

    peers = [peer for peer in PEERS.values() if peer.key not in TUTORIALS]
    results = in_rounds(bench, peers, measure, title="ranges")
    show(f"ranges: {size >> 20} MiB in 8 ranges at once", results, NAMES, DRAIN_COLUMNS)


def asked(answered: Answered) -> Figures:
    """The figures of many small requests. Raises LoadFailed if one went wrong."""
    if answered.errors:
        raise LoadFailed(f"{answered.errors} of {answered.requests} requests went wrong")
    return {
        "requests/s": answered.requests_per_s,
        "p50 ms": answered.p50_s * 1e3,
        "p99 ms": answered.p99_s * 1e3,
    }


def small(bench: Bench) -> None:
    """A file of 4 KiB on 16 kept connections."""
    name = bench.file(SMALL)

    def measure(server: Server) -> Figures:
        path, seconds = server.path(name), bench.seconds(MEASURE_S)
        return asked(request(server.site.port, path, connections=16, seconds=seconds))

    results = in_rounds(bench, PEERS.values(), measure, title="small")
    show("small: a file of 4 KiB, 16 kept connections", results, NAMES, REQUEST_COLUMNS)
    python = [key for key in results if PEERS[key].is_python and not key.startswith("ours")]
    slowest_lead = least([share(results, "requests/s", key) for key in python])
    judge(Bar("requests/s, of the fastest Python peer's", slowest_lead, 2, is_at_most=False))


def validator(server: Server, path: str) -> str:
    """The field that asks whether the file has changed, from a first answer. Raises LoadFailed if it is no use."""
    connection = http.client.HTTPConnection("127.0.0.1", server.site.port)
    try:
        first = answer_to(connection, path, {})
        name, source = ("If-None-Match", "ETag") if first.getheader("ETag") else ("If-Modified-Since", "Last-Modified")
        value = first.getheader(source)
        if value is None:
            raise LoadFailed("its answers have neither ETag nor Last-Modified")
        status = answer_to(connection, path, {name: value}).status
    finally:
        connection.close()
    if status != 304:
        raise LoadFailed(f"it answers {name} with {status}")
    return f"{name}: {value}"


def answer_to(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """The head of an answer whose body has been read."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def not_modified(bench: Bench) -> None:
    """The same file, asked whether it has changed."""
    name = bench.file(SMALL)

    def measure(server: Server) -> Figures:
        path, seconds = server.path(name), bench.seconds(MEASURE_S)
        header = validator(server, path)
        return asked(request(server.site.port, path, connections=16, seconds=seconds, header=header, status=304))

    results = in_rounds(bench, PEERS.values(), measure, title="not-modified")
    show("not-modified: 304 for a file of 4 KiB, 16 kept connections", results, NAMES, REQUEST_COLUMNS)


def listing_health(bench: Bench) -> None:
    """This server's health, and its listing of a folder of 100 files."""
    folder = bench.folder / "hundred"
    folder.mkdir(exist_ok=True)
    for number in range(100):
        (folder / f"file-{number:03}.txt").write_text(json.dumps(number))
    ways = {"/health": None, "/files/hundred/": "Accept: application/json"}
    for path, header in ways.items():

        def measure(server: Server, path: str = path, header: str | None = header) -> Figures:
            seconds = bench.seconds(MEASURE_S)
            return asked(request(server.site.port, path, connections=16, seconds=seconds, header=header))

        results = started_each_time(bench, [PEERS["ours"]], measure, title="listing-health")
        show(f"listing-health: {path}, 16 kept connections", results, NAMES, REQUEST_COLUMNS)

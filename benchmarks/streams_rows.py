"""Rows of an ordinary generator: case `rows` of benchmarks.streams.

All run on the same uvicorn. What differs is who calls the generator: a thread for each row, as Starlette and FastAPI
do, or a thread for each batch.
"""

import sys
from collections.abc import Callable

from benchmarks.peers import Peer, Server, Site, uvicorn, written
from benchmarks.processes import cpu_s
from benchmarks.report import Bar, Figures, Results, judge, share, show
from benchmarks.rounds import SMOKE, Bench, in_rounds
from benchmarks.streams_reading import read_rows

COUNT = 100_000
_ROWS = """
def rows():
    for number in range(COUNT):
        yield b'{"row":%d,"name":"number %d","is_even":%s}\\n' % (number, number, b"false" if number % 2 else b"true")
"""
_STARLETTE = f"""
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
{_ROWS}
async def answer(request):
    return StreamingResponse(rows(), media_type="application/x-ndjson")

app = Starlette(routes=[Route("/", answer)])
"""
_JSON_LINES = """
from collections.abc import Iterable
from fastapi import FastAPI
from pydantic import BaseModel

class Row(BaseModel):
    row: int
    name: str
    is_even: bool

app = FastAPI()

@app.get("/")
def answer() -> Iterable[Row]:
    for number in range(COUNT):
        yield Row(row=number, name=f"number {number}", is_even=number % 2 == 0)
"""
_BATCHED = f"""
from fileserver.delivery.asgi import end, more, start
from fileserver.delivery.batches import batched
{_ROWS}
async def app(scope, receive, send):
    if scope["type"] == "http":
        await start(send, 200, (("content-type", "application/x-ndjson"),))
        async for batch in batched(rows()):
            await more(send, batch)
        await end(send)
"""
COLUMNS = {"rows/s": "{:,.0f}", "seconds": "{:.3f}", "CPU s": "{:.2f}", "first row ms": "{:.1f}"}
BAR = 20


def rows(bench: Bench) -> Results:
    """The table and the bar."""
    count = COUNT // SMOKE if bench.is_smoke else COUNT
    peers = (
        Peer("ours", "batches of 64 KiB or 50 ms", _beside_ours(_counted(_BATCHED, count)), "/"),
        Peer("starlette", "StreamingResponse, row by row", uvicorn(_counted(_STARLETTE, count)), "/"),
        Peer("json-lines", "FastAPI's JSON Lines, yield", uvicorn(_counted(_JSON_LINES, count)), "/"),
    )

    def measure(server: Server) -> Figures:
        spent_s = cpu_s(server.pid)
        read = read_rows(server.site.port, "/", b"\n", count)
        return {
            "rows/s": count / read.seconds,
            "seconds": read.seconds,
            "CPU s": cpu_s(server.pid) - spent_s,
            "first row ms": read.first_s * 1000,
        }

    results = in_rounds(bench, peers, measure, title="rows")
    show(f"{count:,} rows of a generator", results, {peer.key: peer.name for peer in peers}, COLUMNS)
    judge(
        Bar("rows/s, of StreamingResponse's row by row", share(results, "rows/s", "starlette"), BAR, is_at_most=False),
        Bar("rows/s, of FastAPI's JSON Lines", share(results, "rows/s", "json-lines"), BAR, is_at_most=False),
    )
    return results


def _counted(source: str, count: int) -> str:
    return source.replace("COUNT", str(count))


def _beside_ours(source: str) -> Callable[[Site], list[str]]:
    """An application on uvicorn as the peers' are, with this project to import from."""

    def command(site: Site) -> list[str]:
        written(source, site)
        options = ["--port", str(site.port), "--app-dir", str(site.scratch), "--no-access-log", "--log-level", "error"]
        return [sys.executable, "-m", "uvicorn", "peer_app:app", *options]

    return command

"""How to read a file for a socket: three ways, five chunk sizes. `CHUNK_SIZE` in delivery quotes this table.

One client reads a warm file over loopback. Figures are the medians of RUNS: GB/s, and CPU seconds of the server for
each GB.
"""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import aiofiles
import anyio.to_thread
import uvloop

from storage import Key, LocalStore

SIZE = 512 << 20
RUNS = 3
Read = Callable[[LocalStore, Path, int], AsyncGenerator[bytes, None]]


async def with_aiofiles(_store: LocalStore, path: Path, chunk_size: int) -> AsyncGenerator[bytes, None]:
    """The file object of aiofiles, one thread hop a chunk."""
    async with aiofiles.open(path, "rb", buffering=0) as file:
        while chunk := await file.read(chunk_size):
            yield chunk


async def with_generator(_store: LocalStore, path: Path, chunk_size: int) -> AsyncGenerator[bytes, None]:
    """A plain generator whose every step runs in a worker thread, as Starlette does it."""

    def chunks() -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(chunk_size):
                yield chunk

    steps = chunks()
    while (chunk := await anyio.to_thread.run_sync(lambda: next(steps, b""))) != b"":
        yield chunk


async def with_our_reader(store: LocalStore, path: Path, chunk_size: int) -> AsyncGenerator[bytes, None]:
    """pread in the store's pool, one chunk ahead."""
    reader = await store.open(Key(path.name))
    async for chunk in reader.chunks(range(reader.entry.size), chunk_size):
        yield chunk
    await reader.close()


async def measure(store: LocalStore, path: Path, read: Read, chunk_size: int) -> tuple[float, float]:
    """One transfer: wall seconds, and CPU seconds of all threads but the client's."""
    client_cpu_s = 0.0

    def receive(port: int) -> None:
        nonlocal client_cpu_s
        buffer = bytearray(1 << 20)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while connection.recv_into(buffer):
                pass
        client_cpu_s = time.thread_time()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for chunk in read(store, path, chunk_size):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = threading.Thread(target=receive, args=(server.sockets[0].getsockname()[1],))
    started_s, cpu_s = time.perf_counter(), time.process_time()
    client.start()
    await anyio.to_thread.run_sync(client.join)
    server.close()
    return time.perf_counter() - started_s, time.process_time() - cpu_s - client_cpu_s


async def main(folder: Path) -> None:
    """Print the table."""
    path = folder / "file"
    await anyio.Path(path).write_bytes(os.urandom(1 << 20) * (SIZE >> 20))
    store = LocalStore(folder, is_writable=False)
    await store.start()
    for chunk_size in (64, 128, 256, 512, 1024):
        for read in (with_aiofiles, with_generator, with_our_reader):
            runs = [await measure(store, path, read, chunk_size * 1024) for _ in range(RUNS)]
            wall_s, cpu_s = (statistics.median(figures) for figures in zip(*runs, strict=True))
            print(
                f"{chunk_size:5} KiB  {read.__name__:16} {SIZE / wall_s / 1e9:5.2f} GB/s {cpu_s / SIZE * 1e9:5.2f} s/GB"
            )
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        (uvloop.run if "--asyncio" not in sys.argv else asyncio.run)(main(Path(name)))

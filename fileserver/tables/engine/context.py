"""What a job has: its connection, what was asked, and the channel to whoever asked."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from fileserver.tables.counts import Counts
from fileserver.tables.engine.pump import Rejects
from fileserver.tables.engine.session import lock
from fileserver.tables.engine.source import Pipe, open_pipe
from fileserver.tables.plan import Plan

_PROGRESS_S = 0.5


class Channel(Protocol):
    """The worker's end: what comes in, where output goes, and what it tells."""

    input: int
    output: int
    files: Mapping[str, int]
    folder: Path
    sandbox: frozenset[str]

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something to the server."""


@dataclass(slots=True)
class Job:
    """One job. `counts` says how far it is, and may be asked from any thread."""

    connection: duckdb.DuckDBPyConnection
    spec: Mapping[str, Any]
    channel: Channel
    counts: Callable[[], Counts] = field(default=Counts)

    @property
    def plan(self) -> Plan:
        """The plan, which the server has checked before."""
        return Plan.model_validate(self.spec["plan"])

    @property
    def is_live(self) -> bool:
        """Whether the table arrives while it is worked on, and can be read once."""
        return bool(self.spec["is_live"])

    def rejects(self, max_rows: int) -> Rejects:
        """Where rejected rows are told of."""
        return Rejects(self.channel.files.get("rejects"), self.spec["rejects_size"], max_rows)

    def open_pipes(self, count: int) -> tuple[Pipe, ...]:
        """Pipes for the tables to be read; nothing but these can be read from then on, and nothing be set."""
        pipes = tuple(open_pipe() for _ in range(count))
        lock(
            self.connection,
            paths=[pipe.path for pipe in pipes],
            folder=str(self.channel.folder),
            memory=self.spec["memory"],
            threads=self.spec["threads"],
            spill=self.spec["spill"],
        )
        return pipes

    def write(self, piece: bytes | memoryview) -> None:
        """Send output. Raises BrokenPipeError when nobody reads it."""
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(self.channel.output, rest) :]

    @contextmanager
    def telling_progress(self) -> Iterator[None]:
        """Tell the counts every half second, whatever the engine is busy with."""
        is_over = threading.Event()

        def tell() -> None:
            while not is_over.wait(_PROGRESS_S):
                self.channel.tell({"type": "progress", **self.counts().as_message()})

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            is_over.set()
            teller.join()

"""A table as the engine sees it: a pipe full of clean CSV, and the SQL that reads it, every column as text."""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass

from fileserver.tables.engine.beginning import Beginning, beginning_of
from fileserver.tables.engine.grammar import BUFFER_SIZE, Marks
from fileserver.tables.engine.pump import Pump, Rejects
from fileserver.tables.engine.sql import literal
from fileserver.tables.plan import Input

PIPE_SIZE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Pipe:
    """Where the engine reads and a pump writes. It exists before the engine is locked, as its path is allowed then."""

    read: int
    write: int

    @property
    def path(self) -> str:
        """The reading end as a file."""
        return f"/dev/fd/{self.read}"


def open_pipe() -> Pipe:
    """A new pipe, as wide as the system lets it be."""
    pipe = Pipe(*os.pipe())
    with suppress(OSError):  # who has all the pages in pipes that he may have gets a smaller one: slower, and as right
        fcntl.fcntl(pipe.write, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return pipe


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is being read: its beginning, the pump at work, and the relation for SQL."""

    beginning: Beginning
    pump: Pump
    scan: str


def open_source(
    descriptor: int, told: Input, pipe: Pipe, rejects: Rejects, *, coding: str = "", knows_lines: bool = False
) -> Source:
    """Read the beginning of a table, and start pumping the rest. Raises what `beginning_of` raises."""
    beginning = beginning_of(descriptor, told, coding=coding)
    aborts = told.on_bad_row == "abort"
    pump = Pump(beginning, pipe.write, rejects, aborts=aborts, knows_lines=knows_lines)
    pump.start()
    return Source(beginning, pump, relation_of(pipe, beginning, pump))


def relation_of(pipe: Pipe, table: Beginning, pump: Pump) -> str:
    """What to SELECT from: the rows that a pump puts into a pipe, without those that only frame the others."""
    scan = scan_of(pipe.path, table.dialect.marks, len(table.names))
    filler = literal(pump.filler)
    return f"(SELECT * FROM {scan} WHERE starts_with(c0, {filler}) IS NOT TRUE)"  # noqa: S608 (of our own making)


def scan_of(path: str, marks: Marks, width: int) -> str:
    """The table function that reads a clean CSV: c0, c1, … all text; an empty cell is null, a quoted one is not.

    >>> scan_of("/dev/fd/3", Marks(b";"), 1)[:60]
    "read_csv('/dev/fd/3', auto_detect = false, header = false, d"
    """
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
    quote = literal(marks.quote.decode())
    return (
        f"read_csv({literal(path)}, auto_detect = false, header = false, delim = {literal(marks.delimiter.decode())}, "
        f"quote = {quote}, escape = {quote}, new_line = '\\n', allow_quoted_nulls = false, "
        f"columns = {{{columns}}}, buffer_size = {BUFFER_SIZE}, max_line_size = {BUFFER_SIZE})"
    )

"""A table read to its end, through a real pipe, as the engine gets it."""

import os
import threading
from dataclasses import dataclass

from fileserver.tables.engine.beginning import Beginning, beginning_of
from fileserver.tables.engine.grammar import Grammar
from fileserver.tables.engine.pump import Pump, Rejects
from fileserver.tables.plan import Input


@dataclass(frozen=True)
class Table:
    """What came of it: the beginning, the pump that has ended, and the clean records."""

    beginning: Beginning
    pump: Pump
    clean: bytes

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows as texts."""
        return _rows(self.clean, Grammar(self.beginning.dialect.marks.of_clean))


def read_table(table: bytes, told: Input | None = None, *, coding: str = "", rejects: Rejects | None = None) -> Table:
    """Read a table that arrives through a pipe. Raises the fault of its beginning; the pump's is with the pump."""
    source = pipe_with(table)
    told = told or Input()
    try:
        beginning = beginning_of(source, told, coding=coding)
        taken, sink = os.pipe()
        rejects = rejects or Rejects(None, 0, told.max_rejects)
        pump = Pump(beginning, sink, rejects, aborts=told.on_bad_row == "abort", knows_lines=True)
        pump.start()
        with os.fdopen(taken, "rb") as file:
            clean = file.read()
        pump.join()
    finally:
        os.close(source)
    return Table(beginning, pump, clean)


def _rows(clean: bytes, grammar: Grammar) -> list[tuple[str, ...]]:
    rows, position = list[tuple[str, ...]](), 0
    while position < len(clean):
        end = grammar.end_of_record(clean, position, is_final=False)
        assert isinstance(end, int)
        rows.append(tuple(map(grammar.text_of, grammar.cells_of(clean[position:end]))))
        position = end + 1
    return rows


def pipe_with(table: bytes) -> int:
    """The end of a pipe from which a table is read, written by a thread."""
    source, sink = os.pipe()

    def fill() -> None:
        try:
            with os.fdopen(sink, "wb") as file:
                file.write(table)
        except BrokenPipeError:
            pass

    threading.Thread(target=fill, daemon=True).start()
    return source

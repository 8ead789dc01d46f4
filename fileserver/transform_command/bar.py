"""What a person sees of a transform: a bar on standard error if that is a terminal, and the counts at the end."""

import os
import stat
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fileserver.tables import Counts
from fileserver.transform_command.ends import STANDARD

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """Bytes read, speed, time left and rows, once the work has taken more than a moment; a context manager."""

    def __init__(self, source: str, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        is_shown = self._is_terminal and not is_quiet and not (sys.stdout is not None and sys.stdout.isatty())
        self._bar = _bar(_size(source)) if is_shown else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def advance(self, counts: Counts) -> None:
        """The transform is so far. It tells every half second: one that is done before then has no bar."""
        if self._bar is not None:
            rows = f"{counts.rows_in:,} rows in, {counts.rows_out:,} out"
            self._bar.update(self._bar.task_ids[0], completed=counts.bytes_in, description=rows)
            self._bar.start()

    def end(self, counts: Counts) -> None:
        """Tell the counts to who looks on, and of rejected rows to a log too."""
        if self._is_quiet or not (self._is_terminal or counts.rows_rejected):
            return
        self._stop()
        rejected = f", {counts.rows_rejected} rejected" if counts.rows_rejected else ""
        print(f"fileserver: {counts.rows_in} rows in, {counts.rows_out} out{rejected}", file=sys.stderr)  # noqa: T201

    def _stop(self) -> None:
        if self._bar is not None and self._bar.live.is_started:
            self._bar.stop()


def _size(source: str) -> int | None:
    """Bytes of the table, if that is known."""
    try:
        found = os.fstat(0) if source == STANDARD else os.stat(source)
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _bar(size: int | None) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as SpeedColumn

    words = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(), DownloadColumn(binary_units=True), SpeedColumn(), TimeRemainingColumn(), words)
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=size)
    return bar

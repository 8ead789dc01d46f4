"""What a person sees: bars with speed and time left where standard error is a terminal, else a line at the end."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fileserver.client.outcome import Outcome

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Gauge:
    """The bar of one file, or nothing at all."""

    def __init__(self, bars: "Progress | None", name: str) -> None:
        self._bars = bars
        self._task: TaskID | None = None if bars is None else bars.add_task(name, total=None)

    def starts(self, position: int, size: int | None) -> None:
        """The transfer goes on from here: what lies before counts for no speed."""
        if self._bars is not None and self._task is not None:
            self._bars.reset(self._task, completed=position, total=size)

    def advanced(self, count: int) -> None:
        """So many bytes more."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, count)

    def ends(self) -> None:
        """Take the bar away."""
        if self._bars is not None and self._task is not None:
            self._bars.remove_task(self._task)


class Display:
    """Standard error as all transfers of a command share it; a context manager."""

    def __init__(self, *, is_quiet: bool, is_json: bool = False) -> None:
        self._is_quiet = is_quiet
        self._is_json = is_json
        self._bars = None if is_quiet or not sys.stderr.isatty() else _bars()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def gauge(self, name: str) -> Gauge:
        """A bar for a file."""
        return Gauge(self._bars, printable(name))

    def tell(self, outcome: Outcome) -> bool:
        """Say how a file ended, as JSON on standard output or as a line; whether it is done."""
        if self._is_json:
            print(outcome.as_json(), flush=True)  # noqa: T201
        elif outcome.is_done:
            self.say(outcome.as_line())
        else:
            self.complain(outcome.as_line())
        return outcome.is_done

    def say(self, text: str) -> None:
        """A line that `--quiet` leaves out."""
        if not self._is_quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """A line that is always told, above the bars."""
        if self._bars is None:
            print(printable(text), file=sys.stderr, flush=True)  # noqa: T201
        else:
            self._bars.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text without what would command a terminal: servers write some of it. Bytes that are no UTF-8 in hex.

    >>> printable("a\\x1b[2Jb"), print(printable("caf\\udce9"))
    caf\\xe9
    ('a [2Jb', None)
    """
    return "".join(each if each.isprintable() else _replaced(each) for each in text)


def _replaced(letter: str) -> str:
    """What stands for a letter that cannot be shown; a byte of a name is one from DC80 to DCFF (PEP 383)."""
    return f"\\x{ord(letter) - 0xDC00:02x}" if "\udc80" <= letter <= "\udcff" else " "


def _bars() -> "Progress":
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as SpeedColumn
    from rich.text import Text

    class NameColumn(ProgressColumn):
        """The name as it is: brackets in it are no markup."""

        def render(self, task: Task) -> Text:
            return Text.from_markup(escape(task.description), overflow="ellipsis")

    columns = (NameColumn(), BarColumn(), DownloadColumn(binary_units=True), SpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)

"""What a person sees of a job: a bar with the numbers that its server tells, where standard error is a terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fileserver.client.job import Job
from fileserver.client.progress import printable

if TYPE_CHECKING:
    from rich.progress import Progress

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


class JobBar:
    """Bytes, speed, time left and what was found so far; a context manager."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._bar = None if is_quiet or sys.stderr is None or not sys.stderr.isatty() else _bar()

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, job: Job) -> None:
        """The job is so far."""
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0],
                completed=job.bytes_done,
                total=job.bytes_total,
                description=printable(f"{job.work} {job.state} {job.counts_text()}").rstrip(),
                rate="" if job.rate is None else f"{size_text(job.rate)}/s",
                left="" if job.time_left_s is None else f"{duration_text(job.time_left_s)} left",
            )

    def say(self, text: str) -> None:
        """A line that `--quiet` leaves out."""
        if not self._is_quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """A line that is always told, above the bar."""
        if self._bar is None:
            print(printable(text), file=sys.stderr, flush=True)  # noqa: T201
        else:
            self._bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def size_text(size: float) -> str:
    """A number of bytes as people read it.

    >>> size_text(1), size_text(1023), size_text(1536), size_text(5 << 40)
    ('1 byte', '1023 bytes', '1.5 KiB', '5.0 TiB')
    """
    power = max(0, min((int(size).bit_length() - 1) // 10, len(_UNITS)))
    if power:
        return f"{size / 1024**power:.1f} {_UNITS[power - 1]}"
    count = f"{size:.0f}"
    return f"{count} {'byte' if count == '1' else 'bytes'}"


def duration_text(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration_text(59.6), duration_text(3725)
    ('0:01:00', '1:02:05')
    """
    minutes, rest = divmod(round(min(max(seconds, 0), 1e9)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    said = (TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[rate]", "fields[left]"))
    description, rate, left = said
    columns = (description, BarColumn(), DownloadColumn(binary_units=True), rate, left)
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=None, rate="", left="")
    return bar

"""`fileserver get`: URLs into files, one after the other, each over several connections where that pays."""

import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from fileserver.client.download import Arrived, Download, ask
from fileserver.client.errors import Broken, ClientError, Failed
from fileserver.client.naming import kept_name
from fileserver.client.outcome import Outcome
from fileserver.client.part import Part, find_target
from fileserver.client.pipe import Pipe
from fileserver.client.progress import Display, Gauge
from fileserver.client.retries import Patience
from fileserver.client.web import Incoming, Web

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class GetOptions:
    """What the command line says."""

    output: str | None
    """A file, a folder, `-`, or None for the folder where the command runs."""
    fields: tuple[tuple[str, str], ...] = ()
    may_replace: bool = False
    retries: int = 10
    connections: int = 4


def get(url: str, options: GetOptions, display: Display) -> Outcome:
    """Fetch one URL; what goes wrong is in the outcome."""
    started = time.monotonic()
    web = Web(url, options.fields, connections=options.connections)
    getting = _Getting(web, options, display)
    try:
        arrived = getting.run()
    except ClientError as error:
        return Outcome(getting.file, web.home, "failed", seconds=_since(started), error=str(error))
    finally:
        getting.gauge.ends()
    return Outcome(
        getting.file,
        web.home,
        "done",
        size=arrived.size,
        sha256=arrived.sha256,
        verified=arrived.is_verified,
        seconds=_since(started),
    )


class _Getting:
    """One URL and where it goes, which may be known only when the server has answered."""

    def __init__(self, web: Web, options: GetOptions, display: Display) -> None:
        self._web = web
        self._options = options
        self._display = display
        self.file = _shown(options.output, web.home)
        self.gauge: Gauge = display.gauge(Path(self.file).name)

    def run(self) -> Arrived:
        """The file is in its place. Raises ClientError."""
        options = self._options
        if options.output == STDOUT:
            self.file = STDOUT
            return Pipe(
                self._web, self._web.home, gauge=self.gauge, display=self._display, retries=options.retries
            ).run()
        with ExitStack() as stack:
            first: Incoming | None = None
            target = self._known_target()
            if target is None:
                first = stack.enter_context(closing(self._first_answer()))
                target = _folder(options.output) / kept_name(first.fields.get("content-disposition"), self._web.home)
            return self._fetch(target, first)

    def _fetch(self, target: Path, first: Incoming | None) -> Arrived:
        self.file = str(target)
        if os.path.lexists(target) and not self._options.may_replace:
            raise Failed(f"{target} exists: --force replaces it")
        options = self._options
        with Part(target, self._web.home, may_replace=options.may_replace) as part:
            download = Download(
                self._web, self._web.home, part, gauge=self.gauge, display=self._display, retries=options.retries
            )
            arrived = download.run(first, connections=options.connections)
            part.put_in_place(may_replace=options.may_replace)
        return arrived

    def _known_target(self) -> Path | None:
        output = self._options.output
        if output is not None and not _is_folder(output):
            return Path(output)
        return find_target(Path(output or "."), self._web.home)

    def _first_answer(self) -> Incoming:
        patience = Patience(self._options.retries, self._display.say)
        while True:
            try:
                return ask(self._web, self._web.home)
            except Broken as error:
                patience.after(error)


def check_output(urls: Sequence[str], output: str | None) -> str | None:
    """What is wrong with this output for these URLs; None where nothing is."""
    if output == STDOUT and sys.stdout is not None and sys.stdout.isatty():
        return "standard output is a terminal"
    if len(urls) > 1 and output is not None and not _is_folder(output):
        return f"{output} is not a folder, and there are several URLs"
    return None


def _is_folder(output: str) -> bool:
    return output.endswith(os.sep) or os.path.isdir(output)


def _folder(output: str | None) -> Path:
    folder = Path(output or ".")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"{folder}: {error.strerror}") from error
    return folder


def _shown(output: str | None, url: str) -> str:
    return output if output is not None and not _is_folder(output) else kept_name(None, url)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)

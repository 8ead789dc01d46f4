"""`fileserver verify`: reads every file again and says which are not what they were. A server may go on meanwhile."""

import asyncio
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from fileserver import media
from fileserver.findings import Told, shown
from storage import (
    Catalogue,
    Finding,
    InvalidKey,
    Key,
    Library,
    LocalStore,
    Pace,
    Rereader,
    StorageError,
    StoreUnavailable,
    Verification,
    catalogue_fault,
    catalogue_path,
)

SOUND = 0
DAMAGED = 1
USAGE = 2
INTERRUPTED = 130  # as shells have it: 128 and SIGINT's number

_KEY_SHOWN = 40  # characters of the current file's key, its end


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    root: Path
    prefix: str = ""
    is_quiet: bool = False
    is_json: bool = False
    is_learning: bool = False
    is_forgetting: bool = False
    parallel: int = 1


class CannotVerify(Exception):
    """The folder, or what is known of it, cannot be opened; the text says why."""


def verify(asked: Asked) -> int:
    """Look at all files, tell of them on standard output, and answer the exit code. Raises CannotVerify."""
    try:
        return asyncio.run(_verified(asked))
    except KeyboardInterrupt:
        return INTERRUPTED
    except InvalidKey as error:
        raise CannotVerify(f"{asked.prefix}: {error.reason}") from error
    except StorageError as error:
        raise CannotVerify(f"{asked.root} cannot be read: {error}") from error


async def _verified(asked: Asked) -> int:
    async with _opened(asked) as (verification, catalogue):
        counted = _Counted(Told(is_quiet=asked.is_quiet, is_json=asked.is_json))
        with _Bar(asked) as bar:
            bar.begin((await verification.extent()).size if bar.is_shown else 0)
            async with aclosing(verification.findings(bar.advance)) as findings:
                async for finding in findings:
                    counted.add(finding)
                    if finding.kind == "missing" and asked.is_forgetting:
                        await catalogue.forget(finding.key)
        if asked.prefix and not counted.counts:
            raise CannotVerify(f"{asked.prefix}: no file has a key that begins so")
        counted.end()
    return DAMAGED if counted.counts["damaged"] or counted.counts["missing"] else SOUND


@asynccontextmanager
async def _opened(asked: Asked) -> AsyncIterator[tuple[Verification, Catalogue]]:
    is_writing = asked.is_learning or asked.is_forgetting
    if (fault := catalogue_fault(catalogue_path(asked.root))) is not None:
        raise CannotVerify(fault)
    async with AsyncExitStack() as stack:
        store = LocalStore(asked.root, is_writable=is_writing)
        await store.start()
        stack.push_async_callback(store.close)
        catalogue = await _catalogue(catalogue_path(asked.root), is_writing, stack)
        rereader = Rereader(Pace(), threads=asked.parallel)
        stack.callback(rereader.close)
        library = Library(store, catalogue, media.detect)
        learn = library.learn_digest if asked.is_learning else None
        yield Verification(store, catalogue, rereader, asked.prefix, learn, asked.parallel), catalogue


async def _catalogue(path: Path, is_writing: bool, stack: AsyncExitStack) -> Catalogue:
    """The folder's catalogue; an empty one in memory where it has none, a copy where it lies on a read-only medium."""
    try:
        return await _started(path if is_writing else _existing(path), stack)
    except StoreUnavailable:
        if is_writing:
            raise
    folder = stack.enter_context(TemporaryDirectory(prefix="fileserver-verify-"))
    return await _started(_copied(path, Path(folder)), stack)


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _copied(path: Path, folder: Path) -> Path:
    for name in (path.name, f"{path.name}-wal"):  # SQLite cannot open one that keeps a log where it cannot write
        if path.with_name(name).exists():
            shutil.copyfile(path.with_name(name), folder / name)
    return folder / path.name


async def _started(path: Path | None, stack: AsyncExitStack) -> Catalogue:
    catalogue = Catalogue(path)
    try:
        await catalogue.start()
    except BaseException:
        await catalogue.close()
        raise
    stack.push_async_callback(catalogue.close)
    return catalogue


@dataclass(slots=True)
class _Counted:
    """What was found so far, and said."""

    told: Told
    counts: Counter[str] = field(default_factory=Counter)
    size: int = 0
    learned: int = 0

    def add(self, finding: Finding) -> None:
        """Count a file, and tell of it."""
        self.counts[finding.kind] += 1
        self.size += finding.size if finding.found is not None else 0
        self.learned += finding.kind == "foreign" and finding.found is not None
        self.told.add(_record(finding))

    def end(self) -> None:
        """Tell of all."""
        self.told.end(self.counts, learned=self.learned, size=self.size)


def _record(finding: Finding) -> dict[str, str | int | None]:
    return {
        "finding": finding.kind,
        "key": finding.key,
        "size": None if finding.kind == "missing" else finding.size,
        "expected": None if finding.expected is None else finding.expected.hex(),
        "found": None if finding.found is None else finding.found.hex(),
    }


class _Bar:
    """Bytes, speed, time left and the current file, on standard error if that is a terminal."""

    def __init__(self, asked: Asked) -> None:
        self.is_shown = sys.stderr.isatty() and not asked.is_quiet
        self._progress = Progress(
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            disable=not self.is_shown,
            redirect_stdout=sys.stdout.isatty(),  # then lines go above the bar; a file gets them as they are
        )
        self._task = self._progress.add_task("counting", total=None)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, size: int) -> None:
        """The work is known: so many bytes."""
        self._progress.update(self._task, total=size, description="")

    def advance(self, key: Key, size: int) -> None:
        """So many bytes of a file have been read."""
        self._progress.update(self._task, advance=size, description=shown(key)[-_KEY_SHOWN:])

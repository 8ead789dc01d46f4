"""A download that is not whole: NAME.part with the bytes, NAME.part.json with what is known of them.

NAME itself appears once, whole, by a rename. The journal never counts bytes that are not on the medium: they are synced
before it is written, so that a power cut costs time alone.
"""

import fcntl
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fileserver.client.errors import Failed
from fileserver.client.representation import Representation
from fileserver.client.spans import Span, joined, missing

_JOURNAL_EVERY_S = 2.0  # what a kill can cost; each entry is a sync
_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class _Journal:
    """What NAME.part.json holds."""

    url: str
    representation: Representation
    done: tuple[Span, ...]

    def text(self) -> str:
        known = self.representation
        return json.dumps(
            {
                "url": self.url,
                "size": known.size,
                "validator": known.validator,
                "digests": {name: digest.hex() for name, digest in known.digests.items()},
                "done": [[span.start, span.stop] for span in self.done],
            }
        )

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The journal of a download that can be gone on with; None where there is none, or none that can be read."""
        try:
            told: dict[str, Any] = json.loads(path.read_bytes())
            digests = {name: bytes.fromhex(digest) for name, digest in told["digests"].items()}
            known = Representation(int(told["size"]), str(told["validator"]), digests, has_ranges=True)
            return cls(str(told["url"]), known, joined(range(start, stop) for start, stop in told["done"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


class Part:
    """The file on its way; a context manager. One process at a time has it."""

    def __init__(self, target: Path, url: str) -> None:
        """Open it, with what an earlier run left of the same URL. Raises Failed where another process has it."""
        self.target = target
        self.path = target.with_name(target.name + _SUFFIX)
        self._journal_path = journal_path(target)
        self._url = url
        self._lock = threading.Lock()
        self._written_at = time.monotonic()
        self.representation: Representation | None = None
        self.done: tuple[Span, ...] = ()
        self._descriptor = _opened(self.path)
        self._recall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keep_or_drop()
        if kind is not KeyboardInterrupt:  # else threads may still write: the end of the process closes it
            os.close(self._descriptor)

    @property
    def descriptor(self) -> int:
        """The open file, for reading."""
        return self._descriptor

    @property
    def count(self) -> int:
        """Bytes that are there."""
        return sum(map(len, self.done))

    def missing(self) -> tuple[Span, ...]:
        """The spans that are still to come, of a file whose size is known."""
        size = self.representation.size if self.representation else None
        return () if size is None else missing(self.done, size)

    def begin(self, representation: Representation) -> None:
        """Forget all bytes, and wait for these."""
        os.ftruncate(self._descriptor, 0)
        self.representation = representation
        self.done = ()
        self.save()

    def learn(self, digests: dict[str, bytes]) -> None:
        """Know digests that a later answer told of the same version."""
        known = self.representation
        if known is not None and digests and not known.digests:
            self.representation = Representation(known.size, known.validator, digests, known.has_ranges)

    def write(self, position: int, block: bytes) -> None:
        """Put bytes in their place. Raises Failed where the disk does not take them."""
        try:
            written = os.pwrite(self._descriptor, block, position)
            while written < len(block):
                written += os.pwrite(self._descriptor, memoryview(block)[written:], position + written)
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}") from error
        with self._lock:
            self.done = joined((*self.done, range(position, position + len(block))))
            is_due = time.monotonic() - self._written_at > _JOURNAL_EVERY_S
            if is_due:
                self._written_at = time.monotonic()
        if is_due:
            self.save()

    def save(self) -> None:
        """Write down what is there, where it would help to resume."""
        known, done = self.representation, self.done
        if known is None or not known.is_resumable:
            return
        new = self._journal_path.with_name(f"{self._journal_path.name}.{threading.get_ident()}")
        try:
            os.fdatasync(self._descriptor)
            new.write_text(_Journal(self._url, known, done).text())
            new.replace(self._journal_path)
        except OSError as error:
            raise Failed(f"{self._journal_path}: {error.strerror}") from error

    def put_in_place(self, *, may_replace: bool) -> None:
        """Make NAME of it, durably. Raises Failed where NAME exists and may not be replaced."""
        try:
            os.fsync(self._descriptor)
            _move(self.path, self.target, may_replace=may_replace)
            _sync_folder(self.target.parent)
        except FileExistsError:
            raise Failed(f"{self.target} exists: --force replaces it") from None
        except OSError as error:
            raise Failed(f"{self.target}: {error.strerror}") from error
        self._journal_path.unlink(missing_ok=True)
        self.representation = None

    def discard(self) -> None:
        """Remove it: its bytes are of no use."""
        os.ftruncate(self._descriptor, 0)
        self.representation, self.done = None, ()

    def _recall(self) -> None:
        journal = _Journal.read(self._journal_path)
        if journal is None or journal.url != self._url:
            return
        size = os.fstat(self._descriptor).st_size
        if all(span.stop <= size for span in journal.done):
            self.representation, self.done = journal.representation, journal.done

    def _keep_or_drop(self) -> None:
        """Leave what a later run can go on with, and nothing else."""
        if self.representation is not None and self.representation.is_resumable and self.done:
            self.save()
            return
        self._journal_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def journal_path(target: Path) -> Path:
    """Where the journal of a download stands."""
    return target.with_name(f"{target.name}{_SUFFIX}.json")


def find_target(folder: Path, url: str) -> Path | None:
    """The file in this folder that an earlier run began to fetch from a URL, and did not end."""
    for path in sorted(folder.glob(f"*{_SUFFIX}.json")):
        journal = _Journal.read(path)
        if journal is not None and journal.url == url:
            return path.with_name(path.name.removesuffix(f"{_SUFFIX}.json"))
    return None


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Failed(f"{path} is being fetched by another process") from error
    return descriptor


def _move(path: Path, target: Path, *, may_replace: bool) -> None:
    """Rename it; without `may_replace` by a link, which never takes the place of a file that came meanwhile."""
    if not may_replace:
        try:
            os.link(path, target, follow_symlinks=False)
        except PermissionError:  # a file system without links
            if os.path.lexists(target):
                raise FileExistsError(target) from None
        else:
            path.unlink()
            return
    path.replace(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

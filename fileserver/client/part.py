"""A download that is not whole: NAME.part with the bytes, NAME.part.json with what is known of them.

NAME itself appears once, whole, by a rename. The journal never counts bytes that are not on the medium: they are synced
before it is written, so that a power cut costs time alone. Nothing on the disk changes before a server has answered
well, and a NAME.part that no journal of ours stands beside is another's: it is left alone.
"""

import fcntl
import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fileserver.client.errors import Failed
from fileserver.client.representation import Representation
from fileserver.client.spans import Span, joined, missing

_JOURNAL_EVERY_S = 2.0  # what a kill can cost; each entry is a sync
_SUFFIX = ".part"
_NOT_OPEN = -1


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
                "ranges": known.has_ranges,
                "digests": {name: digest.hex() for name, digest in known.digests.items()},
                "done": [[span.start, span.stop] for span in self.done],
            }
        )

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What a run of ours wrote down; None where there is nothing, or nothing of ours."""
        try:
            told: dict[str, Any] = json.loads(path.read_bytes())
            digests = {name: bytes.fromhex(digest) for name, digest in told["digests"].items()}
            size = None if told["size"] is None else int(told["size"])
            validator = None if told["validator"] is None else str(told["validator"])
            known = Representation(size, validator, digests, bool(told.get("ranges", True)))
            return cls(str(told["url"]), known, joined(range(start, stop) for start, stop in told["done"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


class Part:
    """The file on its way; a context manager. One process at a time has it."""

    def __init__(self, target: Path, url: str, *, may_replace: bool = False) -> None:
        """Open what an earlier run left, if anything.

        Raises Failed where another process has it, and, unless it may be replaced, where it is not of `get`.
        """
        self.target = target
        self.path = target.with_name(target.name + _SUFFIX)
        self._journal_path = journal_path(target)
        self._url = url
        self._may_replace = may_replace
        self._lock = threading.Lock()
        self._written_at = time.monotonic()
        self.representation: Representation | None = None
        self.done: tuple[Span, ...] = ()
        self._other: _Journal | None = None  # of another URL
        self._is_emptied = False  # by this run: what has no byte then is worth nothing
        self._is_changed = False
        self._descriptor = _opened(self.path) if os.path.lexists(self.path) else _NOT_OPEN
        try:
            self._recall()
        except Failed:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._keep_or_drop()
        except Failed:
            if error is None:  # else that came first, and says more
                raise
        finally:
            if kind is not KeyboardInterrupt:  # else threads may still write: the end of the process closes it
                self._close()

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
        """Forget all bytes, and wait for these. Raises Failed where what is there is of another file and URL."""
        if self._other is not None and not self._may_replace and not self._other.representation.is_same(representation):
            raise Failed(f"{self.path} is of {self._other.url}, and not of this file: --force overwrites it")
        if self._descriptor == _NOT_OPEN:
            self._descriptor = _opened(self.path, os.O_CREAT | os.O_EXCL)
            self._is_emptied = True
        self.representation, self.done = representation, ()
        self.save()  # before the bytes go: the journal never counts what is not there
        try:
            os.ftruncate(self._descriptor, 0)
        except OSError as error:
            raise Failed(f"{self.path}: {error.strerror}") from error
        self._other, self._is_emptied = None, True

    def adopt(self, representation: Representation) -> bool:
        """Go on with the bytes that came from another URL, where they are surely of this version; says whether."""
        other = self._other
        if other is None or not representation.is_resumable or not other.representation.is_same(representation):
            return False
        self.representation, self.done = representation, other.done
        return True

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
            self._is_changed = True
            is_due = self._is_resumable and time.monotonic() - self._written_at > _JOURNAL_EVERY_S
            if is_due:
                self._written_at = time.monotonic()
        if is_due:
            self.save()

    def save(self) -> None:
        """Write down what is there: that it is ours, and the spans, where they would help to resume."""
        known, done = self.representation, self.done if self._is_resumable else ()
        if known is None:
            return
        new = self._journal_path.with_name(f"{self._journal_path.name}.{threading.get_ident()}")
        try:
            os.fdatasync(self._descriptor)
            new.write_text(_Journal(self._url, known, done).text())
            new.replace(self._journal_path)
        except OSError as error:
            raise Failed(f"{self._journal_path}: {error.strerror}") from error
        finally:
            new.unlink(missing_ok=True)

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
        self.forget()
        self._is_emptied = False

    def forget(self) -> None:
        """Know nothing of its bytes any more; they stay until others come."""
        self.representation, self.done = None, ()

    def discard(self) -> None:
        """Remove it: its bytes are wrong."""
        with suppress(IsADirectoryError):  # not ours, whoever made it
            self._journal_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.forget()
        self._is_emptied = False

    @property
    def _is_resumable(self) -> bool:
        return self.representation is not None and self.representation.is_resumable

    def _recall(self) -> None:
        is_there = self._descriptor != _NOT_OPEN
        if not is_there and not os.path.lexists(self._journal_path):
            return
        journal = _Journal.read(self._journal_path)
        size = os.fstat(self._descriptor).st_size if is_there else 0
        if journal is None or (is_there and any(span.stop > size for span in journal.done)):
            if not self._may_replace:
                path = self.path if is_there else self._journal_path
                raise Failed(f"{path} is there and is not ours: --force overwrites it")
        elif is_there and journal.url != self._url:
            self._other = journal
        elif is_there and journal.representation.is_resumable:
            self.representation, self.done = journal.representation, journal.done

    def _keep_or_drop(self) -> None:
        """Write down what came; take away only a file of this run that never got a byte."""
        if self._is_changed and self._is_resumable:
            self.save()
        elif self._is_emptied and os.fstat(self._descriptor).st_size == 0:
            self.discard()

    def _close(self) -> None:
        if self._descriptor != _NOT_OPEN:
            os.close(self._descriptor)


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


def _opened(path: Path, flags: int = 0) -> int:
    """Open and locked, and still what stands there: the one who had it may have made NAME of it meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o666)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            raise FileNotFoundError(path)
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

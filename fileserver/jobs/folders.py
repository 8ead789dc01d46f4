"""The folders of jobs on disk: what blocks, each function one crossing to a thread.

`job.json` is replaced whole and never synced: a job does not outlive a power cut. `rejects.ndjson` and `work/` are the
worker's, `cancel` is made by whoever wants the job to end, `lock` is held by its owner, and freed by the kernel when
the owner dies.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fileserver.jobs.record import NoRoomForJob, NoSuchJob, Record, record_of
from fileserver.jobs.scratch import make_private

RECORD, REJECTS, WORK, CANCEL, LOCK = "job.json", "rejects.ndjson", "work", "cancel", "lock"
_NEW = "job.json.new"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_YOUNG_S = 60.0  # a folder without a record is being made, if it is younger


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the owner of a job has open: the lock, and the rejects to append to."""

    lock: int
    rejects: int

    def close(self) -> None:
        """Let go of the job."""
        os.close(self.rejects)
        os.close(self.lock)


def create(folder: Path, record: Record) -> Descriptors:
    """Make the folder of a new job. Raises NoRoomForJob, OSError, and leaves nothing then."""
    try:
        make_private(folder.parent)
        os.mkdir(folder, 0o700)
        return _filled(folder, record)
    except OSError as error:
        remove(folder)
        if error.errno in _FULL:
            raise NoRoomForJob from error
        raise


def write(folder: Path, record: Record) -> None:
    """Replace the record. Raises OSError."""
    new = folder / _NEW
    new.write_text(record.as_text(), encoding="ascii")
    os.replace(new, folder / RECORD)


def is_unwanted(folder: Path) -> bool:
    """Whether somebody wants the job to end."""
    return (folder / CANCEL).exists()


def read(folder: Path) -> Record:
    """The record of a job; one that its owner left unfinished has failed. Raises NoSuchJob."""
    record = _read(folder)
    if record.is_over or is_owned(folder):
        return record
    record = _read(folder)  # again: the owner may have ended it before it let go
    return record if record.is_over else record.of_a_dead_owner()


def ask_to_cancel(folder: Path) -> None:
    """Let the owner know, whichever process it is. Raises NoSuchJob."""
    try:
        (folder / CANCEL).touch(0o600)
    except FileNotFoundError as error:
        raise NoSuchJob from error


def end(folder: Path, record: Record, open_files: Descriptors, *, is_forgotten: bool) -> None:
    """Keep the last record unless it is forgotten, drop what the worker had, and let go."""
    try:
        if is_forgotten:
            remove(folder)
            return
        shutil.rmtree(folder / WORK, ignore_errors=True)
        with suppress(OSError):  # a disk that is full takes no record; without its owner the job has failed
            write(folder, record)
    finally:
        open_files.close()


def remove(folder: Path) -> None:
    """Drop a job with all it had. Never follows a link: rmtree goes by descriptors."""
    shutil.rmtree(folder, ignore_errors=True)


def is_owned(folder: Path) -> bool:
    """Whether the job's owner lives."""
    with _lock(folder) as lock:
        if lock is None:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def sweep(above: Path, lifetime_s: float, budget: int, most: int) -> tuple[Record, ...]:
    """Remove jobs that ended longer ago than `lifetime_s`, and the oldest that go beyond `budget` (bytes) or `most`.

    The jobs that are kept and whose owner died since the last time.
    """
    over = sorted(_over(above), reverse=True)
    size = 0
    died = list[Record]()
    for number, (ended_at, path) in enumerate(over):
        size += _size(path / REJECTS)
        if size > budget or number >= most or time.time() - ended_at > lifetime_s:
            remove(path)
        else:
            shutil.rmtree(path / WORK, ignore_errors=True)
            died += _died(path, ended_at)
    return tuple(died)


def _died(folder: Path, changed_at: float) -> Iterator[Record]:
    """The record of a job that was left unfinished, which from now on says so itself."""
    with suppress(NoSuchJob, OSError):
        record = _read(folder)
        if not record.is_over:
            record = record.of_a_dead_owner()
            write(folder, record)
            os.utime(folder / RECORD, (changed_at, changed_at))  # its time runs since it died
            yield record


def _over(above: Path) -> Iterator[tuple[float, Path]]:
    """The folders that nobody owns, with the time of their last change."""
    with suppress(FileNotFoundError):
        for found in list(os.scandir(above)):
            path = Path(found.path)
            with suppress(OSError):
                changed_at = _changed_at(path)
                if not is_owned(path):
                    yield changed_at, path


def _changed_at(folder: Path) -> float:
    """Raises BlockingIOError for a folder that is being made."""
    try:
        return os.lstat(folder / RECORD).st_mtime
    except FileNotFoundError:
        made_at = os.lstat(folder).st_mtime
        if time.time() - made_at < _YOUNG_S:
            raise BlockingIOError from None
        return 0.0


def _filled(folder: Path, record: Record) -> Descriptors:
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.mkdir(folder / WORK, 0o700)
        write(folder, record)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return Descriptors(lock, os.open(folder / REJECTS, flags, 0o600))
    except BaseException:
        os.close(lock)
        raise


def _read(folder: Path) -> Record:
    try:
        return record_of((folder / RECORD).read_text(encoding="ascii"))
    except OSError as error:
        raise NoSuchJob from error


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0


@contextmanager
def _lock(folder: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)

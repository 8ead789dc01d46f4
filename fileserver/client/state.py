"""What outlives a command: which upload of which file was begun where, one small file each.

The server alone knows how far an upload is; here stands only its URL, and of which version of the file it is.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fileserver.client.errors import Failed


def state_folder() -> Path:
    """Where the platform keeps such things (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path.home() / ".local" / "state"
    return base / "fileserver" / "uploads"


class UploadState:
    """The memory of one file's upload to one place."""

    def __init__(self, path: Path, version: tuple[int, int]) -> None:
        self._path = path
        self._version = list(version)

    def recall(self) -> str | None:
        """The URL of the upload that was begun with this version of the file."""
        url, version = self._told()
        return url if version == self._version else None

    def recall_outdated(self) -> str | None:
        """The URL of the upload that was begun with another version: of no use any more."""
        url, version = self._told()
        return url if version != self._version else None

    def remember(self, url: str) -> None:
        """Keep the URL. Raises Failed."""
        new = self._path.with_suffix(".new")
        try:
            with open(new, "w", encoding="utf-8", opener=_private) as file:
                json.dump({"url": url, "version": self._version}, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise Failed(f"{self._path}: {error.strerror}") from error

    def forget(self) -> None:
        """The upload has ended."""
        self._path.unlink(missing_ok=True)

    def _told(self) -> tuple[str | None, object]:
        """The URL and the version that stand there; no URL where nothing does, or rubbish."""
        try:
            told: dict[str, Any] = json.loads(self._path.read_bytes())
            return str(told["url"]), told["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, None


@contextmanager
def upload_state(source: Path, place: str, *, version: tuple[int, int]) -> Iterator[UploadState]:
    """The state of sending this file, of this size and time (ns), to this place; no other process has it meanwhile.

    Raises Failed where one has.
    """
    folder = state_folder()
    key = hashlib.sha256(f"{source.resolve()}\0{place}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    lock_path = folder / f"{key}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(lock_path)
    except BlockingIOError as error:
        raise Failed("this file is being sent to this place already") from error
    except OSError as error:
        raise Failed(f"{folder}: {error.strerror}") from error
    try:
        yield UploadState(folder / f"{key}.json", version)
    finally:
        lock_path.unlink(missing_ok=True)
        os.close(lock)


def _locked(path: Path) -> int:
    """A lock that is ours, by a file that is still the one under its name. Raises BlockingIOError."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except OSError:
            os.close(lock)
            raise
        os.close(lock)  # whoever had it has removed it meanwhile


def _private(path: str, flags: int) -> int:
    """An upload's URL lets anyone add to it."""
    return os.open(path, flags, 0o600)

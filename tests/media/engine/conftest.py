"""Files as the engine gets them: an open descriptor, a size, and the type that detection finds."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from fileserver.media import HEAD_SIZE, detect
from fileserver.media.engine.source import Source


class Opened(Protocol):
    """Opens a file as a worker gets it: a context manager that closes it."""

    def __call__(self, path: Path, media_type: str | None = None) -> AbstractContextManager[Source]:
        """The source; `media_type` only where it is to be another than the detected one."""


@contextmanager
def open_source(path: Path, media_type: str | None = None) -> Iterator[Source]:
    """What the fixture `opened` is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = media_type or detect(os.pread(descriptor, HEAD_SIZE, 0), path.name)
        yield Source(descriptor, os.fstat(descriptor).st_size, found.partition(";")[0])
    finally:
        os.close(descriptor)


@pytest.fixture
def opened() -> Opened:
    """`with opened(path) as source:`, its type by detection unless the test names one."""
    return open_source

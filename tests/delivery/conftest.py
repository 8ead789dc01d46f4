"""A library on real files, and a count of what is open."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from storage import Catalogue, Library, LocalStore


def detected(_head: bytes, _name: str) -> str:
    """The media type of every file here."""
    return "video/mp4"


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    """A library over `tmp_path`."""
    opened = Library(LocalStore(tmp_path), Catalogue(tmp_path / ".fileserver" / "catalogue.sqlite3"), detected)
    await opened.start()
    yield opened
    await opened.close()


def open_files(below: Path) -> list[str]:
    """Descriptors of this process that are regular files below a folder, the catalogue's and the lock's excepted."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue
        is_own = "catalogue.sqlite3" in target or target.endswith("/lock")
        if target.startswith(f"{below}/") and not is_own and not target.endswith((".fileserver", "/drafts", "/trash")):
            found.append(target)
    return found


def drafts_in(root: Path) -> list[str]:
    """The names of the drafts that are kept."""
    return os.listdir(root / ".fileserver" / "drafts")


async def until_closed(root: Path) -> None:
    """Wait until no file is open: the thread that a cancelled request left closes it when it comes back."""
    with anyio.fail_after(10):
        while open_files(root):
            await anyio.sleep(0.001)

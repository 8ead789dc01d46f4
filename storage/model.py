"""The values that cross the storage door: what is known of a stored file, and how a stretch of it is named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from storage.keys import Folder, Key

Span: TypeAlias = range
"""Half-open byte interval, `range(start, stop)` with step 1."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one version of a stored file.

    `identity` differs between any two versions that the store can tell apart; facts learned about a version are kept
    by it. `etag` is opaque text without quotes, and changes with every change of the bytes.
    """

    key: Key
    size: int
    modified_ns: int
    etag: str
    identity: str
    media_type: str | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Subfolder:
    """A folder seen in a listing."""

    folder: Folder
    modified_ns: int


Listed: TypeAlias = Entry | Subfolder
Condition: TypeAlias = Callable[[Entry | None], bool]
"""Asked with the stored entry (None where there is none) whether a write may go on."""


def always(_current: Entry | None) -> bool:
    """The condition of a write that has none."""
    return True

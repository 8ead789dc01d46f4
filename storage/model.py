"""The values that cross the storage door: what is known of a stored file, and how a stretch of it is named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from storage.keys import Folder, Key

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""What JSON can say."""

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


@dataclass(frozen=True, slots=True)
class Upload:
    """A draft with a client's promise of what it is to become.

    `key` is None for an upload that becomes no file of its own. `length` (bytes) is None until it is promised; with
    `is_ending` the upload is over once it has that many. `terms` is text of the caller's own, kept as it is. Of the
    draft's bytes `synced` were durable in the run of the machine named `boot`: after a power cut those past them are
    not believed. From `unverified_from` on they have to be checked as a whole, and were not yet. A complete upload has
    the `sha256` of its bytes, and `is_new` says whether its key was (None: not known).
    """

    upload_id: str
    owner: str
    key: Key | None
    length: int | None
    is_ending: bool
    terms: str
    touched_ms: int
    boot: str
    synced: int = 0
    unverified_from: int | None = None
    sha256: bytes | None = None
    is_new: bool | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is to come, or to be done."""
        return self.sha256 is not None


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How many unfinished uploads an owner may have, how long they live after their last byte, how large they get."""

    max_uploads: int
    lifetime_s: float
    max_size: int | None


Listed: TypeAlias = Entry | Subfolder
Condition: TypeAlias = Callable[[Entry | None], bool]
"""Asked with the stored entry (None where there is none) whether a write may go on."""


def always(_current: Entry | None) -> bool:
    """The condition of a write that has none."""
    return True

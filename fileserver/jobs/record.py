"""What is known of a job, as a value and as the file that keeps it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]

LASTING: frozenset[State] = frozenset({"done", "failed", "cancelled"})
"""States that nothing follows."""

OWNER_DIED: Mapping[str, Json] = {"code": "engine-failed", "reason": "the server process that ran this has ended"}


class NoSuchJob(Exception):
    """There is no job of this id, or no more, or it is somebody else's."""


class NoRoomForJob(Exception):
    """The disk has no room for another job."""


@dataclass(frozen=True, slots=True)
class Record:
    """A job at one moment. Times are seconds since the epoch, sizes bytes.

    `begun` says how the input was understood, `counts` how far the work is, `fault` why it failed, `saved` which files
    it left in the library.
    """

    id: str
    owner: str
    state: State
    created_at: float
    changed_at: float
    bytes_total: int | None = None
    bytes_out: int = 0
    counts: Mapping[str, Json] = field(default_factory=dict)
    begun: Mapping[str, Json] = field(default_factory=dict)
    fault: Mapping[str, Json] | None = None
    saved: tuple[Mapping[str, Json], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to the job."""
        return self.state in LASTING

    def as_text(self) -> str:
        """The record as `record_of` reads it."""
        return json.dumps(asdict(self), separators=(",", ":"))


def record_of(text: str) -> Record:
    """The record that `as_text` wrote. Raises NoSuchJob where it is none: a power cut may have left half of it.

    >>> record_of(Record("a", "", "done", 1.0, 2.0).as_text()).state
    'done'
    """
    try:
        members = json.loads(text)
        return Record(**{**members, "saved": tuple(members["saved"])})
    except (ValueError, TypeError, KeyError) as error:
        raise NoSuchJob from error

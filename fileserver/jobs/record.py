"""What is known of a job, as a value and as the file that keeps it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
Work: TypeAlias = Literal["transform", "verify", "hash", "index"]

LASTING: frozenset[State] = frozenset({"done", "failed", "cancelled"})
"""States that nothing follows."""
TICK_S = 0.002
"""By how much two records of a job differ in their times at least, where that matters: clients know them by it."""

_OWNER_DIED: Mapping[str, Json] = {"code": "engine-failed", "reason": "the server process that ran this has ended"}


class NoSuchJob(Exception):
    """There is no job of this id, or no more, or it is somebody else's."""


class NoRoomForJob(Exception):
    """The disk has no room for another job."""


@dataclass(frozen=True, slots=True)
class Record:
    """A job at one moment. Times are seconds since the epoch, sizes bytes.

    `work` is what it does, `asked` on what; `begun` says how the input was understood, `counts` how far the work is,
    `fault` why it failed, `saved` which files it left in the library. `bytes_done` of `bytes_total` are read.
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
    # What a record of an earlier version does not have comes last.
    work: Work = "transform"
    asked: Mapping[str, Json] = field(default_factory=dict)
    begun_at: float | None = None
    bytes_done: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to the job."""
        return self.state in LASTING

    @property
    def rate(self) -> float | None:
        """Bytes done in a second, over the time that the job has run; None before it has.

        >>> Record("a", "", "running", 1.0, 5.0, begun_at=3.0, bytes_done=100).rate
        50.0
        """
        if self.begun_at is None or self.changed_at <= self.begun_at:
            return None
        return self.bytes_done / (self.changed_at - self.begun_at)

    @property
    def time_left_s(self) -> float | None:
        """In how many seconds the job is over if it goes on like this; None where nobody knows.

        >>> Record("a", "", "running", 1.0, 5.0, 400, begun_at=3.0, bytes_done=100).time_left_s
        6.0
        """
        if self.is_over:
            return 0.0
        if not self.rate or self.bytes_total is None:
            return None
        return max(0, self.bytes_total - self.bytes_done) / self.rate

    def of_a_dead_owner(self) -> "Record":
        """The same job once the process that had it is gone. Nobody knows since when: a little later than this."""
        return replace(self, state="failed", fault=_OWNER_DIED, changed_at=self.changed_at + TICK_S)

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

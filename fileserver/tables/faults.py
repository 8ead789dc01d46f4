"""What can be wrong with a table or with a plan for it. Faults travel from the worker to the server as plain values.

They are not frozen: contextlib sets the traceback of what it raises again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(eq=False)
class TableFault(Exception):
    """A transform cannot go on; `reason` says why, in words meant for the person who asked."""

    code: ClassVar[str] = "table-fault"
    reason: str

    def as_message(self) -> dict[str, Any]:
        """The fault as values that JSON can carry; `fault_of` reads it."""
        return {"code": self.code, **asdict(self)}


@dataclass(eq=False)
class PlanFault(TableFault):
    """The plan cannot be followed. `field` is the part at fault (`steps[2].where`), `position` a character from 0."""

    code: ClassVar[str] = "plan-fault"
    field: str = ""
    position: int | None = None


@dataclass(eq=False)
class HeaderFault(TableFault):
    """The table has no beginning to work with: it is empty, or its first record is malformed or too large."""

    code: ClassVar[str] = "malformed-table"


@dataclass(eq=False)
class EncodingFault(TableFault):
    """The bytes are no text in the encoding, from `offset` (bytes) on."""

    code: ClassVar[str] = "bad-encoding"
    encoding: str = ""
    offset: int | None = None


@dataclass(eq=False)
class RowFault(TableFault):
    """A row is at fault: the `row`-th of the data, which begins on the physical `line`; both count from 1.

    `column` is the name of the one at fault, `raw` the row as it came, or the beginning of it.
    """

    code: ClassVar[str] = "malformed-row"
    row: int | None = None
    line: int | None = None
    column: str | None = None
    raw: str | None = None


@dataclass(eq=False)
class TooManyRejects(TableFault):
    """More rows were rejected than the plan allows."""

    code: ClassVar[str] = "too-many-rejects"


@dataclass(eq=False)
class NeedsStoredInput(TableFault):
    """The plan reads its input more than once, and a table that arrives live can be read once."""

    code: ClassVar[str] = "needs-stored-input"


@dataclass(eq=False)
class OutOfMemory(TableFault):
    """The plan needs more memory, or more disk, than a transform may have."""

    code: ClassVar[str] = "out-of-memory"


@dataclass(eq=False)
class OutOfTime(TableFault):
    """The plan takes longer than a transform may."""

    code: ClassVar[str] = "out-of-time"


@dataclass(eq=False)
class EngineFailed(TableFault):
    """The engine failed or was killed; nothing is known to be wrong with the table or the plan."""

    code: ClassVar[str] = "engine-failed"


_KINDS: Mapping[str, type[TableFault]] = {
    kind.code: kind
    for kind in (
        TableFault,
        PlanFault,
        HeaderFault,
        EncodingFault,
        RowFault,
        TooManyRejects,
        NeedsStoredInput,
        OutOfMemory,
        OutOfTime,
        EngineFailed,
    )
}


def fault_of(message: Mapping[str, Any]) -> TableFault:
    """The fault that `as_message` made.

    >>> fault_of(PlanFault("no", "steps[0].where", 3).as_message()).position
    3
    """
    members = {name: value for name, value in message.items() if name != "code"}
    return _KINDS[message["code"]](**members)

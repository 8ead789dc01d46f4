"""How far somebody has come in a file, and what becomes of it in the transaction that removes or moves the file."""

from dataclasses import dataclass
from datetime import UTC, datetime

from storage.model import Json


@dataclass(frozen=True, slots=True)
class NewPosition:
    """A moment to go on from, of a file that may say how long it is (seconds), or that its end was reached."""

    position_s: float
    duration_s: float | None = None
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A position with the time (Unix, ms) when somebody was there; none where nobody has begun."""

    position_s: float = 0.0
    duration_s: float | None = None
    is_finished: bool = False
    at_ms: int | None = None

    def told(self) -> dict[str, Json]:
        """The position as clients see it, its time in UTC (RFC 3339)."""
        return {
            "position": self.position_s,
            "duration": self.duration_s,
            "finished": self.is_finished,
            "updated": None if self.at_ms is None else _rfc3339(self.at_ms),
        }


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

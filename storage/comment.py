"""One comment on a file, and what becomes of a file's comments within the transaction that removes or moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from storage.keys import Key
from storage.model import Json


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment that nobody has kept yet. `author` is empty for nobody in particular.

    It is about a moment (`media_time_s`), about a byte (`byte_offset`), or about the whole file.
    """

    text: str
    author: str = ""
    media_time_s: float | None = None
    byte_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its number, which grows from one to the next, and its time (Unix, ms)."""

    id: int
    key: Key
    at_ms: int
    author: str
    text: str
    media_time_s: float | None
    byte_offset: int | None

    def told(self) -> dict[str, Json]:
        """The comment as clients see it, in lists and in the feed alike: its time in UTC (RFC 3339)."""
        time = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "id": self.id,
            "key": self.key,
            "time": time.replace("+00:00", "Z"),
            "author": self.author or None,
            "text": self.text,
            "media_time": self.media_time_s,
            "byte_offset": self.byte_offset,
        }

"""The library's changes as records of a live answer."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from fileserver.delivery.live import HEARTBEAT_S, Record, heartbeat
from storage import Change, Changes, Json

Href = Callable[[str], str]
"""The URL path of a key or folder."""
_PAGE = 100  # changes made into records at once: they wait for a client that reads slowly, and the event loop for them


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes a client wants to see: those of keys that begin so, of these kinds (none: of all)."""

    prefix: str = ""
    kinds: frozenset[str] = frozenset()

    def has(self, change: Change) -> bool:
        """Whether a change is one of them; what was moved is seen from both places."""
        if self.kinds and change.kind not in self.kinds:
            return False
        keys = (change.key or "", str(change.content.get("from", "")))
        return not self.prefix or any(key.startswith(self.prefix) for key in keys)


@dataclass(frozen=True, slots=True)
class Feed:
    """Changes after a number, as they come; or, `until` another, those that there are.

    With `reset_to` the client is told first that it has missed something, and goes on after that number.
    """

    changes: Changes
    wanted: Wanted
    href: Href
    after: int
    reset_to: int | None = None
    until: int | None = None

    async def batches(self) -> AsyncGenerator[Sequence[Record], None]:
        """The source of a live answer. Raises StoreUnavailable."""
        after = self.after
        if self.reset_to is not None:
            after = self.reset_to
            yield (Record("reset", {"id": after}, str(after)),)
        async with aclosing(self._pages(after)) as pages:
            async for page in pages:
                after = page[-1].id if page else after
                records = tuple(self._record(change) for change in page if self.wanted.has(change))
                yield records or (heartbeat(str(after)),)

    async def _pages(self, after: int) -> AsyncGenerator[tuple[Change, ...], None]:
        if self.until is None:
            async with aclosing(self.changes.follow(after, quiet_s=HEARTBEAT_S)) as following:
                async for page in following:
                    yield page
            return
        while page := tuple(change for change in await self.changes.after(after, _PAGE) if change.id <= self.until):
            after = page[-1].id
            yield page

    def _record(self, change: Change) -> Record:
        content: dict[str, Json] = {"id": change.id, "time": time_of(change.at_ms)}
        if change.key is not None:
            content |= {"key": change.key, "href": self.href(change.key)}
        return Record(change.kind, dict(change.content) | content, str(change.id))


def time_of(at_ms: int) -> str:
    """A time (Unix, ms) in UTC (RFC 3339).

    >>> time_of(0)
    '1970-01-01T00:00:00.000Z'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

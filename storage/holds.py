"""Who is at work on which upload: one at a time, and the newest goes first.

A client whose connection died comes back before the server has noticed. Its new request ends the old one, which only
waits for bytes that never come; whatever else the old one does, committing above all, is short and is waited for.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import anyio

from storage.errors import UploadTakenOver


class Hold:
    """The sole right, within this process, to work on one upload; once it has the draft, within all."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.since_ns = time.time_ns()
        self.has_draft = False
        self._is_wanted = False
        self._receiving: anyio.CancelScope | None = None

    def give_up(self) -> None:
        """Receive no more: a newer request wants the upload."""
        self._is_wanted = True
        if self._receiving is not None:
            self._receiving.cancel()

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """A block that `give_up` ends. Raises UploadTakenOver."""
        if self._is_wanted:
            raise UploadTakenOver
        with anyio.CancelScope() as self._receiving:
            yield
        has_ended, self._receiving = self._receiving.cancelled_caught, None
        if has_ended:
            raise UploadTakenOver


class Holds:
    """The holds of this process, by upload id."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    def __bool__(self) -> bool:
        return bool(self._holds)

    def has(self, upload_id: str) -> bool:
        """Whether somebody holds the upload here."""
        return upload_id in self._holds

    @asynccontextmanager
    async def taken(self, upload_id: str) -> AsyncIterator[Hold]:
        """Hold an upload for the block, once whoever held it has given it up."""
        while (other := self._holds.get(upload_id)) is not None:
            other.give_up()
            await other.ended.wait()
        hold = self._holds[upload_id] = Hold()
        try:
            yield hold
        finally:
            del self._holds[upload_id]
            hold.ended.set()

    def give_up(self, wanted: Mapping[str, int]) -> None:
        """Have those given up that another process has wanted since they were taken here (Unix time in ns)."""
        for upload_id, wanted_ns in wanted.items():
            hold = self._holds.get(upload_id)
            if hold is not None and hold.has_draft and hold.since_ns < wanted_ns:
                hold.give_up()

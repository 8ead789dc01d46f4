"""What a transfer tells the feed of how far it has come: in passing, and never to its own harm.

A transfer that is over in a moment tells nothing. One that lasts says so, and so can be followed; then how many bytes
are kept, at most once a second and only while bytes come. If they are thrown away in the end, it tells that too. What
they become, the commit tells.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Literal, TypeAlias

import anyio

from storage.change import NewChange, public_name
from storage.changes import Changes
from storage.errors import StorageError
from storage.keys import Key
from storage.model import Json
from storage.store import Draft

FIRST_S = 0.1
"""How long a transfer may last without a word: whoever follows a file finds nothing, or the old one, until then."""
PERIOD_S = 1.0
_TICK_S = 0.01  # by which a timer may be early
_KEPT = 1024  # uploads between two requests of theirs; what is forgotten may tell a little too soon

State: TypeAlias = Literal["receiving", "discarded"]


class Progress:
    """That of one draft. With `is_told` the feed knows of it already; else one without a key tells nothing."""

    def __init__(self, changes: Changes, draft_id: str, key: Key | None, *, is_told: bool = False) -> None:
        self._changes = changes
        self._draft_id = draft_id
        self._key = key
        self._is_told = is_told
        self._due_s = math.inf if key is None and not is_told else time.monotonic() + FIRST_S
        self._size = 0
        self._telling: asyncio.Task[None] | None = None

    async def of(self, chunks: AsyncIterable[bytes], draft: Draft, length: int | None) -> AsyncIterator[bytes]:
        """The chunks as they come, on their way into a draft that will have this length; all is told at their end."""
        first = asyncio.get_running_loop().call_later(FIRST_S + _TICK_S, self.tell, draft, length)
        try:
            async for chunk in chunks:
                self.tell(draft, length)
                yield chunk
        finally:
            first.cancel()
        await self.settle()

    def tell(self, draft: Draft, length: int | None) -> None:
        """Tell the feed how many bytes are kept, if it is time. Nobody waits for it here: see `settle`."""
        now_s = time.monotonic()
        if now_s < self._due_s or (self._telling is not None and not self._telling.done()):
            return
        self._due_s, self._is_told, self._size = now_s + PERIOD_S, True, draft.size
        self._telling = asyncio.create_task(self._add("receiving", length))

    async def settle(self) -> None:
        """Wait until what was to be told has been: what the bytes become is told after it."""
        if self._telling is not None:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self._telling])

    async def discard(self, draft: Draft, length: int | None) -> None:
        """Throw the bytes away, unless they have become something; tell that, if the feed knows of them."""
        with anyio.CancelScope(shield=True):
            await self.settle()
            if await draft.discard() and self._is_told:
                await self._add("discarded", length)

    async def _add(self, state: State, length: int | None) -> None:
        with suppress(StorageError):
            await self._changes.add(upload_change(self._draft_id, self._key, self._size, length, state=state))


class Progresses:
    """Those of the uploads that were written to lately: a request goes on where the last one left it."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._kept: OrderedDict[str, Progress] = OrderedDict()

    def of(self, upload_id: str, key: Key | None) -> Progress:
        """That of an upload, of which its making told."""
        if upload_id not in self._kept:
            self._kept[upload_id] = Progress(self._changes, upload_id, key, is_told=True)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[upload_id]

    def drop(self, upload_id: str) -> None:
        """Forget it: the upload is over."""
        self._kept.pop(upload_id, None)


def upload_change(draft_id: str, key: Key | None, size: int, length: int | None, *, state: State) -> NewChange:
    """What the feed says of a transfer."""
    content: dict[str, Json] = {"upload": public_name(draft_id), "offset": size, "length": length, "state": state}
    return NewChange("upload", key, content, subject=draft_id)

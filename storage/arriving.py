"""A file that is still being uploaded, read as its bytes come.

What is read is what is kept, in the draft itself: by no lock, from any process, whoever writes. Bytes that are still to
be checked against a digest are not shown before they were. And the last byte of a file whose length is known is shown
when the file is committed, so that nobody takes for whole what was thrown away in the end.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

import anyio

from storage.errors import NotFound, StoreDamaged
from storage.keys import Key
from storage.model import Upload
from storage.promises import Promises, Transfer
from storage.store import DraftReader, DraftState, Fate, Store

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.25  # between two looks at a draft to which nothing comes
_STRETCH = 16 << 20  # bytes between two looks while there are many


@dataclass(frozen=True, slots=True)
class _Seen:
    """A draft at one moment: `end` is where the bytes end that may be shown."""

    state: DraftState
    end: int


class Arriving:
    """One transfer, open to be read. `length` (bytes) is None where it is not known beforehand."""

    def __init__(self, key: Key, transfer: Transfer, draft: DraftReader, promises: Promises) -> None:
        self.key = key
        self.length = transfer.length
        self._draft = draft
        self._promises = promises
        self._upload = transfer.upload  # as it was at the last look
        self._state: DraftState | None = None
        self._is_doubted = True
        self._settled = 0
        self._shown = 0  # where the bytes end that were shown

    async def head(self, size: int) -> bytes:
        """The first bytes, as far as they have come."""
        end = min(size, (await self._look()).end)
        return b"".join([chunk async for chunk in self._draft.chunks(range(end), size)])

    async def chunks(self, start: int, stop: int | None, chunk_size: int) -> AsyncGenerator[bytes, None]:
        """The bytes from an offset up to another, or to the end of the file, as they come.

        It waits for as long as the draft lives. Raises StoreDamaged when that is thrown away, or cut off before what
        was shown, and when it ends before `stop`.
        """
        offset, pause_s = start, _FIRST_PAUSE_S
        while stop is None or offset < stop:
            seen = await self._look()
            end = min(seen.end, offset + _STRETCH, seen.end if stop is None else stop)
            if offset < end:
                async with aclosing(self._draft.chunks(range(offset, end), chunk_size)) as chunks:
                    async for chunk in chunks:
                        offset += len(chunk)
                        self._shown = max(self._shown, offset)
                        yield chunk
                pause_s = _FIRST_PAUSE_S
            elif seen.state.fate is Fate.COMMITTED:
                if stop is not None or seen.state.size < offset:
                    raise StoreDamaged(self.key)
                return
            else:
                await anyio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def close(self) -> None:
        """Let go of it. Closing twice is fine."""
        await self._draft.close()

    async def _look(self) -> _Seen:
        state, before = self._draft.look(), self._state
        if state.fate is Fate.DISCARDED or state.size < self._shown:
            raise StoreDamaged(self.key)
        if state.fate is Fate.COMMITTED:
            if self.length not in {None, state.size}:
                raise StoreDamaged(self.key)
            return _Seen(state, state.size)
        if self._upload is not None and (self._is_doubted or state != before):
            self._settled = await self._settled_of(state, self._upload)
        elif self._upload is None:
            self._settled = state.size
        self._state = state
        return _Seen(state, self._settled if self.length is None else min(self._settled, self.length - 1))

    async def _settled_of(self, state: DraftState, before: Upload) -> int:
        """Where the bytes end that no digest can undo any more, as far as is known.

        The draft was looked at first: if it has not been cut off between the last look at the promise and this one, and
        nothing is to be checked now, then what was there is there still, and stays. Bytes that need no check are undone
        only where a client sends more than it promised; the next look at the size tells.
        """
        upload = await self._promises.get(before.upload_id)
        self._is_doubted = True
        if upload is None or upload.is_complete:
            return self._shown  # it ends just now: the next look at the draft tells how
        self._upload = upload
        if upload.touched_ms != before.touched_ms:
            return self._shown
        if upload.unverified_from is not None:
            return min(state.size, upload.unverified_from)
        self._is_doubted = False
        return state.size


async def newest_arriving(key: Key, store: Store, promises: Promises) -> Arriving | None:
    """The transfer to a key that bytes came to last, opened; whoever asks closes it."""
    newest, newest_ns = None, -1
    try:
        for transfer in await promises.arriving(key):
            with suppress(NotFound):  # committed or thrown away meanwhile
                draft = await store.read_draft(transfer.draft_id)
                arriving: Arriving | None = Arriving(key, transfer, draft, promises)
                try:
                    if (modified_ns := draft.look().modified_ns) > newest_ns:
                        newest, arriving, newest_ns = arriving, newest, modified_ns
                finally:
                    if arriving is not None:
                        await arriving.close()
    except BaseException:
        if newest is not None:
            await newest.close()
        raise
    return newest

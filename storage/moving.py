"""Files and folders under other names, and copies of them: what is known of the bytes goes along.

Moving: both places are claimed, then the rename, then the facts follow in the transaction that ends the claims. Whoever
comes between finds the file under one of its names, with its etag; whoever finds the claims of a dead process ends the
move, if the rename was done. A folder is claimed with all that is in it: a commit below it that has begun is moved
along, and one that comes later makes the folder anew.
"""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import anyio

from storage.catalogue import Catalogue, Claim, Facts
from storage.change import NewChange, add_change
from storage.claiming import Claiming
from storage.described import with_facts
from storage.errors import FolderInTheWay, NotFound, PreconditionFailed, StorageError
from storage.keys import Folder, Key
from storage.model import Condition, Entry, Listed, always
from storage.moves import Move
from storage.opened import Opened
from storage.store import Draft, Reader, Store

Stat: TypeAlias = Callable[[Key], Awaitable[Entry | None]]
"""What a write of a key would replace: see `Library.stat`."""


class SamePlace(StorageError):
    """What is to be moved or copied is where it is to come to, or holds that place, or lies in it."""


class Moving:
    """Moves and copies within one library."""

    def __init__(self, store: Store, catalogue: Catalogue, claiming: Claiming, stat: Stat) -> None:
        self._store = store
        self._catalogue = catalogue
        self._claiming = claiming
        self._stat = stat

    async def move(
        self, old: Key, new: Key, *, condition: Condition = always, is_replacing: bool = True
    ) -> tuple[Entry, bool]:
        """Give a file another name; its entry, and whether the name is new.

        The condition is asked of the file. Raises NotFound, IsFolder, SamePlace, FolderInTheWay, KeyBusy, and
        PreconditionFailed, with the new name where that is taken.
        """
        if old == new:
            raise SamePlace
        token = secrets.token_hex(8)
        source, (target, move, facts) = Claim(old, token), await self._planned(old, new, token)
        async with self._claiming.claimed(source, target, move=move) as outcome:
            if (planned := await self._planned(old, new, token)) != (target, move, facts):
                target, move, facts = planned  # it was changed before nobody could any more
                await self._claiming.take(source, target, move=move)
            await self._require(old, condition)
            is_new = await self._may_come(new, is_replacing=is_replacing)
            arrived = await self._store.move(old, new, is_replacing=is_replacing)
            outcome.record = partial(self._catalogue.release_moved, source, target, arrived)
        return with_facts(arrived, facts if arrived.etag == target.etag else Facts()), is_new

    async def move_folder(self, old: Folder, new: Folder, *, is_replacing: bool = True) -> bool:
        """Give a folder another name with all that is in it; whether the name is new. An empty folder is replaced.

        Raises NotFound, SamePlace, PreconditionFailed where the name is taken, FolderInTheWay, KeyBusy.
        """
        _refuse_nested(old, new)
        token = secrets.token_hex(8)
        source, target = Claim(Key(old), token), Claim(Key(new), token)
        move = Move(token, old, new, await self._store.folder_identity(old))
        async with self._claiming.claimed(source, target, move=move) as outcome:
            if (identity := await self._store.folder_identity(old)) != move.identity:
                await self._claiming.take(source, target, move=replace(move, identity=identity))
            await self._require_room(new, is_replacing=is_replacing)
            await self._catalogue.foretell(move)
            is_new = await self._store.move_folder(old, new, is_replacing=is_replacing)
            outcome.record = partial(self._catalogue.release_moved, source, target, None)
        return is_new

    async def make_folder(self, folder: Folder) -> bool:
        """Have a folder, and those above it; whether it was not there. Raises FolderInTheWay."""
        with anyio.CancelScope(shield=True):  # or nobody would tell of it
            is_new = await self._store.make_folder(folder)
            if is_new:
                async with self._catalogue.changing() as connection:
                    await add_change(connection, NewChange("created", Key(folder), {}))
        return is_new

    async def copy(
        self, old: Key, new: Key, *, condition: Condition = always, is_replacing: bool = True
    ) -> tuple[Entry, bool]:
        """Store a file's bytes under another name too; its entry, and whether the name is new.

        The copy is the file at one moment, unless somebody writes to it in its place meanwhile. Raises as `move` does,
        NoSpace, and StoreDamaged where the file is cut short.
        """
        if old == new:
            raise SamePlace
        async with Opened(self._store, old) as reader:
            facts = await self._catalogue.facts(reader.entry)
            if not condition(with_facts(reader.entry, facts)):
                raise PreconditionFailed(old)
            await self._may_come(new, is_replacing=is_replacing)
            draft = await self._store.draft(token := secrets.token_urlsafe(16))
            try:
                return await self._committed(draft, reader, new, token, facts, is_replacing=is_replacing)
            finally:
                with anyio.CancelScope(shield=True):
                    await draft.discard()

    async def copy_folder(self, old: Folder, new: Folder, *, is_replacing: bool = True, is_deep: bool = True) -> bool:
        """Copy all that is in a folder, a file after the other (or nothing of it); whether the name is new.

        What was copied before a failure stays, and so does what somebody else stores there meanwhile. Raises as
        `move_folder` and `copy` do.
        """
        _refuse_nested(old, new)
        await self._store.folder_identity(old)
        await self._require_room(new, is_replacing=is_replacing)
        is_new = await self.make_folder(new)
        if is_deep:
            async with aclosing(self._below(old)) as found:
                async for each in found:
                    with suppress(NotFound):  # it has gone since it was listed
                        await self._copy_into(each, old, new)
        return is_new

    async def _copy_into(self, each: Listed, old: Folder, new: Folder) -> None:
        if not isinstance(each, Entry):
            await self.make_folder(Folder(new + each.folder.removeprefix(old)))
            return
        with suppress(PreconditionFailed):
            await self.copy(each.key, Key(new + each.key.removeprefix(old)), is_replacing=False)

    async def _below(self, folder: Folder) -> AsyncGenerator[Listed, None]:
        """All that is in a folder, each subfolder before what is in it."""
        waiting = [folder]
        while waiting:
            listing = self._store.list_all(waiting.pop(), is_recursive=False, after="", is_sorted=False)
            with suppress(NotFound):
                async with aclosing(listing) as pages:
                    async for page in pages:
                        for each in page:
                            yield each
                            if not isinstance(each, Entry):
                                waiting.append(each.folder)

    async def _planned(self, old: Key, new: Key, token: str) -> tuple[Claim, Move, Facts]:
        """The claim to the new name, with the etag and digest that the file has, for those who look at it between."""
        entry = await self._store.stat(old)
        facts = await self._catalogue.facts(entry)
        return Claim(new, token, entry.etag, facts.sha256), Move(token, old, new, entry.identity), facts

    async def _require(self, key: Key, condition: Condition) -> None:
        if not condition(await self._stat(key)):
            raise PreconditionFailed(key)

    async def _require_room(self, folder: Folder, *, is_replacing: bool) -> None:
        """Raises PreconditionFailed for a folder that is there, and FolderInTheWay for one that holds something."""
        with suppress(NotFound):
            held = await self._store.list(folder, is_recursive=False, after="", limit=1)
            if not is_replacing:
                raise PreconditionFailed(folder)
            if held:
                raise FolderInTheWay(folder)

    async def _may_come(self, key: Key, *, is_replacing: bool) -> bool:
        """Whether nothing has the name. Raises PreconditionFailed, FolderInTheWay."""
        is_new = await self._stat(key) is None
        if not is_new and not is_replacing:
            raise PreconditionFailed(key)
        return is_new

    async def _committed(
        self, draft: Draft, reader: Reader, key: Key, token: str, facts: Facts, *, is_replacing: bool
    ) -> tuple[Entry, bool]:
        is_same = await draft.take(reader)
        sha256 = (facts.sha256 or facts.learned_sha256) if is_same else None
        claim = Claim(key, token, draft.committed_etag(), sha256)
        async with self._claiming.claimed(claim) as outcome:
            is_new = await self._may_come(key, is_replacing=is_replacing)
            entry = await draft.commit(key)
            outcome.record = partial(self._catalogue.release, claim, entry, is_new=is_new)
        return with_facts(entry, Facts(sha256=sha256)), is_new


def _refuse_nested(old: Folder, new: Folder) -> None:
    if old.startswith(new) or new.startswith(old):  # the root is above all
        raise SamePlace

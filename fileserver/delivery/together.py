"""Several things done at a time: the first that fails ends the others."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

import anyio

Part: TypeAlias = Callable[[], Awaitable[None]]


async def together(*parts: Part, meanwhile: tuple[Part, ...] = ()) -> None:
    """Do all the parts, and `meanwhile` what has no end; it is cancelled when the parts have ended.

    What the first to fail raises passes through as it is, not in a group.
    """
    failures: list[Exception] = []
    left = len(parts)
    async with anyio.create_task_group() as tasks:

        async def guarded(part: Part, *, is_endless: bool) -> None:
            nonlocal left
            try:
                await part()
            except Exception as error:  # of any kind: it is raised again below, outside the group
                failures.append(error)
                tasks.cancel_scope.cancel()
            left -= not is_endless
            if not left:
                tasks.cancel_scope.cancel()

        for part in parts:
            tasks.start_soon(partial(guarded, part, is_endless=False))
        for part in meanwhile:
            tasks.start_soon(partial(guarded, part, is_endless=True))
    if failures:
        raise failures[0]

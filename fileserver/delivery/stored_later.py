"""A transform of a stored table whose result is stored too: nobody has to wait for it."""

from dataclasses import dataclass
from functools import partial

import anyio

from fileserver.delivery.asgi import Message
from fileserver.delivery.exchange import Exchange, TransformFailed, TransformRequest, exchanged_as, stored_output
from fileserver.delivery.long_work import when_a_worker_is_free
from fileserver.delivery.workshop import Workshop
from fileserver.jobs import OpenJob
from storage import Condition, Key, Library


@dataclass(frozen=True, slots=True)
class StoredLater:
    """The task of a job that stores the output of a transform under `key`."""

    workshop: Workshop
    library: Library
    request: TransformRequest
    key: Key
    condition: Condition
    max_size: int | None

    async def __call__(self, job: OpenJob) -> None:
        """Do it; the job tells how it ended. Raises what `exchanged` does."""
        try:
            await when_a_worker_is_free(partial(self._attempt, job))
        except TransformFailed as error:
            raise error.cause from error

    async def _attempt(self, job: OpenJob) -> None:
        async with self.request.source(_nothing_comes) as table:
            await exchanged_as(
                job,
                table,
                workshop=self.workshop,
                library=self.library,
                request=self.request,
                way="store",
                receive=_nothing_comes,
                finish=self._finish,
            )

    async def _finish(self, exchange: Exchange) -> None:
        await stored_output(exchange, self.library, self.key, condition=self.condition, max_size=self.max_size)


async def _nothing_comes() -> Message:
    """What is received where there is no client: neither bytes nor a departure."""
    await anyio.sleep_forever()
    raise AssertionError("for ever")

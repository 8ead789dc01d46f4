"""What is kept of a request that waits for its turn."""

from collections.abc import Sequence

import anyio
import pytest

from fileserver.delivery.asgi import ClientLeft, Message
from fileserver.delivery.read_ahead import ReadAhead


def _piece(body: bytes, *, has_more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": has_more}


class _Client:
    """Sends its messages, and then nothing."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.left = list(messages)

    async def receive(self) -> Message:
        if not self.left:
            await anyio.sleep_forever()
        return self.left.pop(0)


async def test_what_was_kept_comes_before_what_still_comes() -> None:
    messages = [_piece(b"one"), _piece(b"two"), _piece(b"three", has_more=False)]
    client = _Client(messages)
    ahead = ReadAhead(client.receive, max_size=4)
    await ahead.keep()
    assert client.left == messages[2:]  # that was enough
    await ahead.stop()
    assert [await ahead.receive() for _ in messages] == messages


async def test_a_client_that_leaves_is_seen() -> None:
    ahead = ReadAhead(_Client([_piece(b"one"), {"type": "http.disconnect"}]).receive)
    with pytest.raises(ClientLeft):
        await ahead.keep()


async def test_nothing_is_asked_for_after_the_stop() -> None:
    client = _Client([_piece(b"one")])
    ahead = ReadAhead(client.receive)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ahead.keep)
        await ahead.stop()
    assert client.left == [_piece(b"one")]


async def test_it_stops_within_a_wait() -> None:
    ahead = ReadAhead(_Client([_piece(b"one")]).receive)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ahead.keep)
        await anyio.wait_all_tasks_blocked()
        await ahead.stop()
    assert await ahead.receive() == _piece(b"one")

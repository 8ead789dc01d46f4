"""A worker at work, from the server's side: bytes in, bytes out, messages, and its end."""

import array
import fcntl
import json
import os
import select
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel

from fileserver.workers.endings import WorkerDied, WorkerEnd, WorkerGone
from fileserver.workers.process import Process, Usage

_BLOCK = 1 << 20
_LONGEST_MESSAGE = 8 << 20  # a header of 1 MiB takes up to six times as much with its characters escaped
_LOOKS = 4  # at a worker that is waited for, in each `stall_s`; one reads /proc, which takes 30 us


@dataclass(slots=True)
class Pipes:
    """The server's ends, which do not block, and the worker's; -1 for what is not open (any more)."""

    input: int = -1
    output: int = -1
    far_input: int = -1
    far_output: int = -1

    def close_input(self) -> None:
        """No more comes."""
        self.input = _closed(self.input)

    @property
    def is_input_awaited(self) -> bool:
        """Whether the worker may want more input than it has: the pipe is open at both ends and has room."""
        if self.input < 0:
            return False
        poll = select.poll()
        poll.register(self.input, select.POLLOUT)
        return poll.poll(0) == [(self.input, select.POLLOUT)]

    def close_far(self) -> None:
        """The worker has its ends now."""
        self.far_input = _closed(self.far_input)
        self.far_output = _closed(self.far_output)

    def close(self) -> None:
        """Close all that is open."""
        self.close_input()
        self.close_far()
        self.output = _closed(self.output)


@dataclass(slots=True)
class Worker:
    """One task may write while another reads and a third follows the messages; no two do the same at once.

    A worker that says much (more than some 100 KiB, progress not counted) waits until it is heard.
    One that stalls while `write` or `read` wait for it is killed. It stalls when it uses no processor time for
    `stall_s`, though it has a full pipe or the whole of the input to work on, and nothing that it gave is left to take.
    """

    _process: Process
    _pipes: Pipes
    _stall_s: float
    _heard: bytearray = field(default_factory=bytearray)
    _moved: int = 0  # bytes, in and out: it may take a MiB in less time than the kernel's clock tells apart

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    async def write(self, chunk: bytes) -> None:
        """Pass it to the worker's input, waiting for room. WorkerGone when the worker reads no more."""
        rest = memoryview(chunk)
        await anyio.lowlevel.checkpoint_if_cancelled()
        while rest:
            try:
                written = os.write(self._pipes.input, rest)
            except BlockingIOError:
                await self._patiently(anyio.wait_writable, self._pipes.input)
            except BrokenPipeError as error:
                raise WorkerGone from error
            else:
                rest = rest[written:]
                self._moved += written

    def end_input(self) -> None:
        """The worker sees the end of its input."""
        self._pipes.close_input()

    async def read(self) -> bytes:
        """The next bytes of the output, at most 1 MiB; b"" at its end, be that good or bad: `messages` tells which."""
        await anyio.lowlevel.checkpoint()
        while True:
            try:
                block = os.read(self._pipes.output, _BLOCK)
            except BlockingIOError:
                await self._patiently(anyio.wait_readable, self._pipes.output)
            else:
                self._moved += len(block)
                return block

    async def next_message(self) -> dict[str, Any] | None:
        """What the worker says next; None when it has ended."""
        return await self._line()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What the worker tells, until it has ended. WorkerDied when it ended in any other way than by being done."""
        while (spoken := await self._line()) is not None:
            yield spoken
        await self._process.has_ended.wait()
        if self._process.end.reason != "done":
            raise WorkerDied(self._process.end)

    async def wait(self) -> WorkerEnd:
        """How it ended, once it has."""
        await self._process.has_ended.wait()
        return self._process.end

    def usage(self) -> Usage:
        """What it uses now."""
        return self._process.usage()

    async def _patiently(self, wait: Callable[[int], Awaitable[None]], descriptor: int) -> None:
        """Wait for the worker, and kill it when it stalls: then the wait ends too, since its ends close."""
        before, quiet_looks = None, 0
        while True:
            with anyio.move_on_after(self._stall_s / _LOOKS):
                return await wait(descriptor)
            seen = self._signs_of_life()
            quiet_looks = quiet_looks + 1 if seen is not None and seen == before else 0
            if quiet_looks >= _LOOKS:
                self._process.kill("stalled")
            before = seen

    def _signs_of_life(self) -> tuple[float, int] | None:
        """What changes when the worker does something; None while it may be waiting for the server."""
        if self._pipes.is_input_awaited or _unread(self._pipes.output) or _unread(self._process.control.fileno()):
            return None
        return self.usage().cpu_s, self._moved

    async def _line(self) -> dict[str, Any] | None:
        while (end := self._heard.find(b"\n")) < 0:
            received = await self._receive()
            if not received:
                return None  # what it was saying when it died is no message
            self._heard += received
            self._moved += len(received)
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        try:
            spoken = json.loads(line)
        except ValueError:
            spoken = None
        if isinstance(spoken, dict):
            return spoken
        self._mistrust()
        return None

    async def _receive(self) -> bytes:
        if len(self._heard) > _LONGEST_MESSAGE:
            self._mistrust()
            return b""
        while True:
            try:
                return self._process.control.recv(64 << 10)
            except BlockingIOError:
                await anyio.wait_readable(self._process.control)
            except ConnectionError:  # it died with words of ours unread
                return b""

    def _mistrust(self) -> None:
        """It says what no worker of ours says, so it is not ours any more."""
        self._process.kill("crashed")


def _unread(descriptor: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]


def _closed(descriptor: int) -> int:
    if descriptor >= 0:
        anyio.notify_closing(descriptor)
        os.close(descriptor)
    return -1

"""`get -o -`: a file to standard output, in order.

What was written cannot be unsaid: after a break it goes on exactly where it was, or the command fails.
"""

import os
import sys
from contextlib import closing

from fileserver.client.digest import RunningDigest
from fileserver.client.download import Arrived, ask
from fileserver.client.errors import Broken, Failed, StartOver
from fileserver.client.progress import Display, Gauge
from fileserver.client.representation import Representation, check_part, whole_of
from fileserver.client.retries import Patience
from fileserver.client.web import Incoming, Web

_PARTIAL = 206


class Pipe:
    """One URL on its way to standard output."""

    def __init__(self, web: Web, url: str, *, gauge: Gauge, display: Display, retries: int) -> None:
        self._web = web
        self._url = url
        self._gauge = gauge
        self._patience = Patience(retries, display.say)
        self._position = 0
        self._known: Representation | None = None
        self._digest = RunningDigest()

    def run(self) -> Arrived:
        """All bytes written, and checked. Raises ClientError, after which what was written is to be thrown away."""
        while True:
            try:
                self._pour()
                break
            except StartOver as error:
                if self._position:
                    raise Failed(f"{error}: what was written so far is of no use") from error
                self._patience.after(error)
            except Broken as error:
                self._patience.after(error)
        told = self._known.digests if self._known else {}
        verdict = self._digest.agrees(told)
        if verdict is False:
            raise Failed("the bytes that came have not the digest that the server told: do not use them")
        return Arrived(self._position, self._digest.digest().hex(), verdict is True)

    def _pour(self) -> None:
        with closing(self._ask()) as incoming:
            size = self._known.size if self._known else None
            self._gauge.starts(self._position, size)
            for block in incoming.blocks(None if size is None else size - self._position):
                _write(block)
                self._digest.take(self._position, block)
                self._position += len(block)
                self._gauge.advanced(len(block))
                self._patience.advanced(self._position)

    def _ask(self) -> Incoming:
        """The rest of the version that was begun, or the whole of one where nothing was written yet."""
        known, position = self._known, self._position
        if known is None or position == 0:
            incoming = ask(self._web, self._url)
            self._known = whole_of(incoming)
            self._digest = RunningDigest(self._known.digests)
            return incoming
        if not known.is_resumable or known.size is None:
            raise Failed("the connection broke, and the server cannot resume this file")
        span = range(position, known.size)
        incoming = ask(self._web, self._url, span, known.validator)
        if incoming.status != _PARTIAL:
            incoming.close()
            raise StartOver("the file changed on the server, or it stopped sending ranges")
        check_part(incoming, span, known)
        return incoming


def _write(block: bytes) -> None:
    """All of it, past the buffers of Python: nothing is left to be written when the reader has gone."""
    view = memoryview(block)
    while view:
        try:
            view = view[os.write(sys.stdout.fileno(), view) :]
        except OSError as error:
            raise Failed(f"standard output: {error.strerror}") from error

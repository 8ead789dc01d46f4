"""One URL into a Part: the first answer decides the way, then one lane or several fill what is missing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from fileserver.client.crew import Crew
from fileserver.client.digest import RunningDigest
from fileserver.client.errors import Broken, ClientError, Failed, StartOver
from fileserver.client.naming import is_folder
from fileserver.client.part import Part
from fileserver.client.progress import Display, Gauge
from fileserver.client.representation import Representation, check_part, unwanted_coding, whole_of
from fileserver.client.retries import Patience
from fileserver.client.spans import Span, divided, range_field
from fileserver.client.web import Incoming, Web, refusal

PARALLEL_FROM = 64 * 1024 * 1024
"""Bytes from which several connections pay: below, one has ended before four are up to speed."""

_WANTS_DIGEST = {"Want-Repr-Digest": "sha-256=10"}
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that is whole, and agrees with what the server told of it."""

    size: int
    sha256: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class _Lane:
    """A span to fetch, and the answer that carries its beginning, if it is there already."""

    span: Span
    incoming: Incoming | None = None


def ask(web: Web, url: str, span: Span | None = None, validator: str | None = None) -> Incoming:
    """A 200 with the whole file, or a 206 for a span of the version that the validator names.

    Raises StartOver where the span is not in the file, Failed for a folder's listing, Refused or Broken for any other
    answer.
    """
    fields = dict(_WANTS_DIGEST)
    if span is not None and validator is not None:
        fields |= {"Range": range_field(span), "If-Range": validator}
    incoming = web.open(url, fields)
    if incoming.status == _OK and is_folder(incoming.fields.get("content-disposition"), incoming.url):
        incoming.close()
        raise Failed("this is a folder: name a file")
    if incoming.status == _OK or (incoming.status == _PARTIAL and "Range" in fields):
        return incoming
    with closing(incoming):
        if incoming.status == _UNSATISFIABLE and "Range" in fields:
            raise StartOver("the file changed on the server")
        raise refusal(incoming.answer())


class Download:
    """One URL on its way into a part."""

    def __init__(self, web: Web, url: str, part: Part, *, gauge: Gauge, display: Display, retries: int) -> None:
        self._web = web
        self._url = url
        self._part = part
        self._gauge = gauge
        self._say = display.say
        self._retries = retries
        self._digest = RunningDigest()
        self._open: set[Incoming] = set()
        self._is_stopping = Event()

    def run(self, first: Incoming | None, *, connections: int) -> Arrived:
        """All bytes, checked; `first` is the answer to a plain GET, where there is one already.

        Raises ClientError; the part then has what can be gone on with.
        """
        patience = Patience(self._retries, self._say)
        while True:
            try:
                self._fetch(first, connections)
                return self._checked()
            except StartOver as error:
                self._part.forget()
                connections = 1  # whatever went wrong, the simplest way is next
                patience.after(error)
            except Broken as error:
                patience.after(error)
            first = None

    def _fetch(self, first: Incoming | None, connections: int) -> None:
        part, known, spans = self._part, self._part.representation, self._part.missing()
        if first is None and known is not None and not spans:
            return  # an earlier run was ended between the last byte and the rename
        resumed = self._ask(spans[0], known) if first is None and known is not None else None
        with closing(resumed or first or ask(self._web, self._url)) as incoming:
            if known is None or incoming.status == _OK:
                whole = whole_of(incoming)
                if known is None and part.adopt(whole):
                    incoming.close()
                    self._fetch(None, connections)
                    return
                known = whole
                part.begin(known)
                if (words := unwanted_coding(incoming)) is not None:
                    self._say(words)
            self._gauge.starts(part.count, known.size)
            self._digest = RunningDigest(known.digests)
            if known.is_resumable:
                self._fill_all(_lanes(part.missing(), incoming, connections), known, connections)
            else:
                self._fill_at_once(incoming, known.size)

    def _ask(self, span: Span, known: Representation) -> Incoming:
        """The answer to a request for a span of this version: a 206 that was checked, or a 200."""
        incoming = ask(self._web, self._url, span, known.validator)
        if incoming.status == _PARTIAL:
            try:
                self._part.learn(check_part(incoming, span, known))
            except ClientError:
                incoming.close()
                raise
        return incoming

    def _fill_all(self, lanes: list[_Lane], known: Representation, connections: int) -> None:
        """Fill them all. Raises the first error, after the others have stopped."""
        crew = Crew(lambda lane: self._fill(lane, known), lanes, size=connections)
        try:
            for _ in crew.results():
                pass
        except BaseException as error:
            self._is_stopping.set()
            for incoming in list(self._open):
                incoming.interrupt()
            if isinstance(error, ClientError):  # else the command is interrupted, and waits for nobody
                crew.disband()
                self._is_stopping.clear()
            raise

    def _fill(self, lane: _Lane, known: Representation) -> None:
        """Fetch a span, asking again for its rest as often as it breaks off."""
        position, incoming = lane.span.start, lane.incoming
        patience = Patience(self._retries, self._say, position=position, wait=self._is_stopping.wait)
        while position < lane.span.stop and not self._is_stopping.is_set():
            try:
                span = range(position, lane.span.stop)
                for count in self._pour(incoming or self._ask(span, known), span):
                    position += count
                    patience.advanced(position)
            except StartOver:
                raise
            except Broken as error:
                if not self._is_stopping.is_set():
                    patience.after(error)
            incoming = None

    def _pour(self, incoming: Incoming, span: Span) -> Iterator[int]:
        """Write a span as it comes; yields how much came each time."""
        self._open.add(incoming)
        with closing(incoming):
            try:
                if incoming.status == _OK and span.start > 0:
                    raise StartOver("the file changed on the server, or it stopped sending ranges")
                position = span.start
                for block in incoming.blocks(len(span)):
                    self._keep(position, block)
                    position += len(block)
                    yield len(block)
            finally:
                self._open.discard(incoming)

    def _fill_at_once(self, incoming: Incoming, size: int | None) -> None:
        """Write a body that cannot be asked for in pieces: it comes in one go, or not at all."""
        position = 0
        try:
            for block in incoming.blocks(size):
                self._keep(position, block)
                position += len(block)
        except Broken as error:
            raise StartOver(f"{error}, and the server cannot resume this file") from error

    def _keep(self, position: int, block: bytes) -> None:
        self._part.write(position, block)
        self._digest.take(position, block)
        self._gauge.advanced(len(block))

    def _checked(self) -> Arrived:
        """Compare with what the server told. Raises Failed, and throws the bytes away, where it is something else."""
        part, digest, size = self._part, self._digest, self._part.count
        told = part.representation.digests if part.representation else {}
        if not digest.covers(told):
            digest = RunningDigest(told)
        digest.catch_up(part.descriptor, size)
        verdict = digest.agrees(told)
        if verdict is False:
            part.discard()
            raise Failed("the bytes that came have not the digest that the server told: nothing is kept")
        return Arrived(size, digest.digest().hex(), verdict is True)


def _lanes(spans: tuple[Span, ...], incoming: Incoming, connections: int) -> list[_Lane]:
    """What is missing, shared out where that pays; the answer that is there already carries the first."""
    if sum(map(len, spans)) >= PARALLEL_FROM:
        spans = divided(spans, connections)
    firsts = (incoming, *(None for _ in spans[1:]))
    return [_Lane(span, first) for span, first in zip(spans, firsts, strict=False)]

"""One file over tus, to its end: each step is one request, and after a failure the server is asked how far it is."""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import urljoin

from fileserver.client import tus
from fileserver.client.chunks import ChunkSizes
from fileserver.client.errors import Broken, Failed, Refused, StartOver
from fileserver.client.progress import Gauge
from fileserver.client.retries import Patience
from fileserver.client.source import Changed, OpenedSource
from fileserver.client.state import UploadState
from fileserver.client.web import Answer, Web, asked_digests, told_digests

_DEATHS = 2  # that many in a row, and the size of the request is suspected
_TAKES_NO_MORE = frozenset({403, 404, 405, 410})  # what servers say to bytes for an upload that is complete


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a file is now, and whether the server's digest says that it is that file (None: it tells none)."""

    url: str
    sha256: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What one file's sending goes by."""

    offer: tus.Offer
    metadata: str
    chunks: ChunkSizes
    patience: Patience


class TusUpload:
    """One file on its way to a tus server."""

    def __init__(self, web: Web, source: OpenedSource, state: UploadState, terms: Terms, gauge: Gauge) -> None:
        self._web = web
        self._source = source
        self._state = state
        self._terms = terms
        self._gauge = gauge
        self._url = state.recall()
        self._offset: int | None = None
        """What the server has; None where it must be asked."""
        self._tried = 0
        """The size of the request that is under way, of those that carry bytes."""
        self._deaths = 0
        self._receipt: Receipt | None = None

    def run(self) -> Receipt:
        """The file is there, whole. Raises ClientError."""
        most = self._terms.offer.max_size
        if most is not None and self._source.size > most:
            raise Failed(f"the server takes files up to {most} bytes")
        if (outdated := self._state.recall_outdated()) is not None:
            tus.abandon(self._web, outdated)
        while self._receipt is None:
            self._tried = 0
            try:
                self._step()
            except tus.TooLarge:
                self._terms.chunks.was_refused(self._tried)
                self._offset = None
            except StartOver as error:
                self._url = None
                self._state.forget()
                self._terms.patience.after(error)
            except Broken as error:
                self._offset = None
                self._suspect_size(error)
                self._terms.patience.after(error)
            except (Changed, tus.Unplaceable):
                self._abandon()
                raise
        self._state.forget()
        return self._receipt

    def _step(self) -> None:
        size = self._source.size
        if self._url is None:
            self._url = tus.create(self._web, self._terms.offer, size, self._terms.metadata)
            self._state.remember(self._url)
            self._stands_at(0)
        elif self._offset is None:
            self._stands_at(tus.offset(self._web, self._url, size))
        elif self._offset < size:
            self._append(self._url, self._offset)
        else:
            self._receipt = self._settled(self._url)

    def _stands_at(self, offset: int) -> None:
        self._offset = offset
        self._gauge.starts(offset, self._source.size)
        if self._terms.patience.advanced(offset):
            self._deaths = 0

    def _append(self, url: str, position: int) -> None:
        source, chunks = self._source, self._terms.chunks
        source.catch_up(position)
        span = range(position, position + chunks.of(source.size - position))
        checksum = self._checksum(span)
        self._tried = len(span)
        body = source.blocks(span, self._gauge.advanced)
        answer = tus.append(self._web, url, position, body, length=len(span), size=source.size, checksum=checksum)
        self._offset = span.stop
        self._deaths = 0
        self._terms.patience.advanced(span.stop)
        chunks.has_passed()
        if span.stop == source.size:
            self._receipt = self._compared(url, answer)

    def _checksum(self, span: range) -> str | None:
        algorithm = self._terms.offer.checksum
        if algorithm is None or not self._terms.chunks.are_checked:
            return None
        return f"{algorithm} {b64encode(self._source.checksum(span, algorithm)).decode()}"

    def _suspect_size(self, error: Broken) -> None:
        """Connections that die while bytes are sent may be a proxy's way to say that they are too many."""
        if not self._tried or error.status is not None:
            return
        self._deaths += 1
        if self._deaths >= _DEATHS:
            self._terms.chunks.has_died(self._tried)

    def _settled(self, url: str) -> Receipt:
        """What became of an upload that is complete: some servers tell it again, in the answer to no bytes more."""
        size = self._source.size
        try:
            answer = tus.append(self._web, url, size, b"", length=0, size=size, checksum=None)
        except (Refused, StartOver, tus.OffsetDiffers) as error:
            if isinstance(error, Refused) and error.status not in _TAKES_NO_MORE:
                raise  # it has all bytes, and has not stored them
            return self._compared(url, None)
        return self._compared(url, answer)

    def _compared(self, url: str, answer: Answer | None) -> Receipt:
        """The receipt, when the server's digest does not deny it. Raises Failed."""
        own = self._source.sha256()
        location = answer.fields.get("content-location") if answer else None
        where = url if location is None else urljoin(url, location)
        told = told_digests(answer.fields) if answer else {}
        verdict = self._source.digest.agrees(told or asked_digests(self._web, where, tus.SPEAKS))
        if verdict is False:
            self._state.forget()
            raise Failed(f"what the server stored has another digest: see {where}")
        return Receipt(where, own.hex(), verdict is True)

    def _abandon(self) -> None:
        self._state.forget()
        if self._url is not None:
            tus.abandon(self._web, self._url)

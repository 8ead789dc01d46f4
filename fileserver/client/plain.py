"""One file by a plain PUT (RFC 9110 s.9.3.4): whole each time, because nothing tells how far a broken one came."""

from fileserver.client.errors import Broken, Failed, Refused
from fileserver.client.progress import Gauge
from fileserver.client.retries import Patience
from fileserver.client.source import OpenedSource
from fileserver.client.upload import Receipt
from fileserver.client.web import Web, asked_digests, refusal, told_digests

_EXISTS = 412
_TAKEN = "a file of this name is there already: --replace replaces it"


class PlainUpload:
    """One file on its way to its URL."""

    def __init__(self, web: Web, url: str, source: OpenedSource, *, patience: Patience, gauge: Gauge) -> None:
        self._web = web
        self._url = url
        self._source = source
        self._patience = patience
        self._gauge = gauge

    def run(self, *, media_type: str | None, may_replace: bool) -> Receipt:
        """The file is there. Raises ClientError."""
        fields = {"Content-Length": str(self._source.size), "Want-Repr-Digest": "sha-256=10"}
        if media_type is not None:
            fields["Content-Type"] = media_type
        if not may_replace:
            fields["If-None-Match"] = "*"
        is_free = may_replace
        was_cut = False
        while True:
            try:
                if not is_free:
                    self._check_free()
                    is_free = True  # what is there after a first try may be ours
                return self._send(fields, was_cut=was_cut)
            except Broken as error:
                was_cut = was_cut or error.status is None
                self._patience.after(error)

    def _check_free(self) -> None:
        """Nothing is there so far: some servers (nginx) do not know If-None-Match for a PUT. Raises Refused, Broken."""
        answer = self._web.ask("HEAD", self._url)
        if 200 <= answer.status < 300:
            raise Refused(_TAKEN, status=answer.status)
        if isinstance(error := refusal(answer), Broken):
            raise error

    def _send(self, fields: dict[str, str], *, was_cut: bool) -> Receipt:
        source = self._source
        self._gauge.starts(0, source.size)
        body = source.blocks(range(source.size), self._gauge.advanced) if source.size else b""
        answer = self._web.ask("PUT", self._url, fields, body=body)
        own = source.sha256()
        if answer.status == _EXISTS and was_cut and source.digest.agrees(asked_digests(self._web, self._url)):
            return Receipt(self._url, own.hex(), is_verified=True)  # it is ours: its answer was lost
        if answer.status == _EXISTS and "If-None-Match" in fields:
            raise Refused(_TAKEN, status=_EXISTS)
        if answer.status not in (200, 201, 204):
            raise refusal(answer)
        verdict = source.digest.agrees(told_digests(answer.fields) or asked_digests(self._web, self._url))
        if verdict is False:
            raise Failed(f"what the server stored has another digest: see {self._url}")
        return Receipt(self._url, own.hex(), verdict is True)

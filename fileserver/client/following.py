"""The events of one URL, over as many connections as it takes: each goes on after the last event that came whole."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from fileserver.client.errors import Broken, Failed
from fileserver.client.event_stream import MEDIA_TYPE, Event, EventReader
from fileserver.client.members import members_of, text_of
from fileserver.client.retries import Patience
from fileserver.client.web import Incoming, Web, refusal

_OK, _NO_MORE = 200, 204
_FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Of an answer that has neither it cannot be told whether its head came whole (RFC 9112 s.6.3)."""


def events_of(
    web: Web, url: str, patience: Patience, *, last_id: str = "", begun: Callable[[str], None] | None = None
) -> Generator[Event, None, None]:
    """The events after that one as they come, until the server says that no more will (204). Raises Failed.

    Whoever has enough closes it, and so the connection. `begun` is told once after which id they come, "" where
    nobody says.

    A stream that merely ends does not say so: a server that is stopped looks the same, and a proxy that has waited
    long enough (WHATWG HTML s.9.2.1).
    """
    heard = 0
    while True:
        reader = EventReader(last_id)
        error = Broken("the stream ended")
        try:
            with closing(_opened(web, url, last_id)) as incoming:
                if incoming.status == _NO_MORE:
                    return
                patience.connected()
                for number, block in enumerate(incoming.blocks()):
                    events = reader.feed(block)
                    if begun is not None and reader.begins_after is not None:
                        begun(reader.begins_after)
                        begun = None
                    if events or number:  # a first block without an event may be all that a broken server ever says
                        heard += 1
                        patience.advanced(heard)
                    yield from _without_fault(events)
        except Broken as broken:
            error = broken
        last_id = reader.last_id
        error.retry_after_s = max(error.retry_after_s, reader.retry_s)
        patience.after(error)


def _opened(web: Web, url: str, last_id: str) -> Incoming:
    """The answer, whose head is as it should be."""
    # the id goes as the bytes it came as, which http.client takes for Latin-1
    place = {"Last-Event-ID": last_id.encode().decode("latin-1")} if last_id else {}
    incoming = web.open(url, {"Accept": MEDIA_TYPE, "Cache-Control": "no-store", **place})
    kind = incoming.fields.get("content-type", "").partition(";")[0].strip().lower()
    if incoming.status == _NO_MORE or (incoming.status == _OK and kind == MEDIA_TYPE):
        return incoming
    with closing(incoming):
        if incoming.status == _OK:
            if not _FRAMING & incoming.fields.keys():  # http.client takes a head that was cut off for a whole one
                raise Broken("the answer broke off in its head")
            raise Failed(f"{url} does not answer with events")
        raise refusal(incoming.answer())


def _without_fault(events: Iterable[Event]) -> Iterator[Event]:
    """The events up to one that tells of the server's trouble. Raises Broken there."""
    for event in events:
        if event.kind == "error":
            raise Broken(f"the server broke off: {_detail(event.content)}")
        yield event


def _detail(content: str) -> str:
    try:
        return text_of(members_of(content), "detail") or content
    except Failed:
        return content

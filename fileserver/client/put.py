"""`fileserver put`: files to a server, several at a time, by tus where it speaks that, else by a plain PUT."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from fileserver.client import tus
from fileserver.client.chunks import ChunkSizes
from fileserver.client.crew import Crew
from fileserver.client.errors import Broken, ClientError
from fileserver.client.outcome import Outcome
from fileserver.client.plain import PlainUpload
from fileserver.client.progress import Display, Gauge
from fileserver.client.retries import Patience
from fileserver.client.source import OpenedSource, Source, sources_of
from fileserver.client.state import upload_state
from fileserver.client.upload import Receipt, Terms, TusUpload
from fileserver.client.web import Web


@dataclass(frozen=True, slots=True)
class PutOptions:
    """What the command line says."""

    fields: tuple[tuple[str, str], ...] = ()
    may_replace: bool = False
    chunk_size: int | None = None
    """Bytes of the largest request; None for no limit."""
    retries: int = 10
    at_once: int = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where files go: an `offer` to create uploads at, or none for plain PUTs below `url`, or to it."""

    url: str
    offer: tus.Offer | tus.NoOffer
    name: str | None = None
    """What the one file is called there, where the URL says it."""


def put(paths: Sequence[Path], url: str, options: PutOptions, display: Display) -> Iterator[Outcome]:
    """Send files; yields how each ended, as they end. What goes wrong is in the outcomes."""
    web = Web(url, options.fields, connections=options.at_once)
    sources = list(sources_of(paths, display.say))
    is_one = len(sources) == 1 and not paths[0].is_dir()
    try:
        place = _place(web, options, display, is_one=is_one)
    except ClientError as error:
        yield from (Outcome(str(source.path), web.home, "failed", error=str(error)) for source in sources)
        return
    putting = _Putting(web, place, options, display)
    is_whole = isinstance(place.offer, tus.NoOffer) and place.offer.is_told
    for outcome in Crew(putting.send, sources, size=options.at_once).results():
        if is_whole and outcome.is_done:
            display.say(f"{web.home} does not speak tus: files are sent whole, and not resumed")
            is_whole = False
        yield outcome


def _place(web: Web, options: PutOptions, display: Display, *, is_one: bool) -> Place:
    """Where this URL leads: the folder or the endpoint that it is, else a name in the folder above it."""
    patience = Patience(options.retries, display.say)
    while True:
        try:
            return _looked_up(web, is_one=is_one)
        except Broken as error:
            patience.after(error)


def _looked_up(web: Web, *, is_one: bool) -> Place:
    parts = urlsplit(web.home)
    folder, _, name = parts.path.rpartition("/")
    if not name or not is_one:
        return _folder_place(web, parts)
    itself = (web.home, None)
    above = (urlunsplit(parts._replace(path=f"{folder}/")), unquote(name))
    # some servers say of each URL that it creates uploads: /uploads is meant itself, /files/a.txt as a name in a folder
    for url, called in (above, itself) if folder else (itself, above):
        offer = tus.discover(web, url)
        if isinstance(offer, tus.Offer):
            return Place(url, offer, called)
    return Place(web.home, offer, unquote(name))


def _folder_place(web: Web, parts: SplitResult) -> Place:
    offer = tus.discover(web, web.home)
    folder = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/"))
    return Place(web.home if isinstance(offer, tus.Offer) else folder, offer)


class _Putting:
    """What the files of one command share."""

    def __init__(self, web: Web, place: Place, options: PutOptions, display: Display) -> None:
        self._web = web
        self._place = place
        self._options = options
        self._display = display
        self._chunks = ChunkSizes(options.chunk_size)

    def send(self, source: Source) -> Outcome:
        """Send one file."""
        started = time.monotonic()
        gauge = self._display.gauge(source.name)
        begun = Outcome(str(source.path), self._web.home, "failed")
        try:
            with OpenedSource(source) as opened:
                begun = replace(begun, size=opened.size)
                receipt = self._sent(source, opened, gauge)
        except ClientError as error:
            return replace(begun, seconds=_since(started), error=str(error))
        finally:
            gauge.ends()
        return replace(
            begun,
            url=receipt.url,
            status="done",
            sha256=receipt.sha256,
            verified=receipt.is_verified,
            seconds=_since(started),
        )

    def _sent(self, source: Source, opened: OpenedSource, gauge: Gauge) -> Receipt:
        place, options = self._place, self._options
        patience = Patience(options.retries, lambda text: self._display.say(f"{source.name}: {text}"))
        if isinstance(place.offer, tus.NoOffer):
            url = place.url if place.name is not None else _below(place.url, source.name)
            plain = PlainUpload(self._web, url, opened, patience=patience, gauge=gauge)
            return plain.run(media_type=source.media_type, may_replace=options.may_replace)
        named = source if place.name is None else Source(source.path, place.name)
        terms = Terms(place.offer, _metadata(named, may_replace=options.may_replace), self._chunks, patience)
        version = (opened.size, opened.modified_ns)
        with upload_state(source.path, f"{place.offer.url}\0{terms.metadata}", version=version) as state:
            return TusUpload(self._web, opened, state, terms, gauge).run()


def _metadata(source: Source, *, may_replace: bool) -> str:
    """Upload-Metadata with the keys that servers look for."""
    pairs = [("filename", source.name.rpartition("/")[2])]
    if "/" in source.name:
        pairs.append(("relativePath", source.name))
    if source.media_type is not None:
        pairs.append(("filetype", source.media_type))
    if may_replace:
        pairs.append(("replace", "true"))
    return tus.metadata(pairs)


def _below(folder: str, name: str) -> str:
    """The URL of a name in a folder."""
    parts = urlsplit(folder)
    return urlunsplit(parts._replace(path=parts.path + quote(name, errors="surrogateescape")))


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)

"""`fileserver watch`: what happens to a server's files, as lines for people or as JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from fileserver.client.event_stream import Event
from fileserver.client.following import events_of
from fileserver.client.job_bar import size_text
from fileserver.client.members import Members, inner, members_of, number_of, text_of
from fileserver.client.place import place_of
from fileserver.client.progress import printable
from fileserver.client.retries import LIVE_RETRIES, LIVE_WAIT_S, Patience
from fileserver.client.web import Web


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What the command line says."""

    prefix: str = ""
    """How the keys begin, after what the URL says of it."""
    kinds: tuple[str, ...] = ()
    since: str = ""
    """The number of the last change that is known."""
    fields: tuple[tuple[str, str], ...] = ()
    retries: int = LIVE_RETRIES
    is_json: bool = False


def watch(url: str, options: WatchOptions, say: Callable[[str], None]) -> Iterator[str]:
    """A line for each change as it comes, for ever; each once, also where connections break. Raises Failed.

    `say` is told from when on nothing is missed, and of broken connections.
    """
    web = Web(url, options.fields)
    place = place_of(web.home)
    prefix = place.prefix + options.prefix
    parameters = [("prefix", prefix)] * bool(prefix) + [("kind", kind) for kind in options.kinds]
    events_url = place.url("/events", *parameters)
    patience = Patience(options.retries, say, longest_s=LIVE_WAIT_S)

    def begun(after: str) -> None:
        say(f"watching {web.home}{after and f' (from change {after} on)'}")

    with closing(events_of(web, events_url, patience, last_id=options.since, begun=begun)) as events:
        for event in events:
            yield _json_line(event) if options.is_json else line_of(event.kind, members_of(event.content))


def line_of(kind: str, change: Members) -> str:
    """A change in words.

    >>> line_of("created", {"time": "2026-05-01T12:00:00.000Z", "key": "a b.txt", "size": 1536})
    '2026-05-01T12:00:00.000Z created  a b.txt (1.5 KiB)'
    >>> line_of("reset", {"id": 7})
    'reset    some changes are not known any more: look at the files anew (from 7 on)'
    """
    if kind == "reset":
        return f"{kind:<8} some changes are not known any more: look at the files anew (from {change.get('id')} on)"
    at, key, details = text_of(change, "time"), text_of(change, "key"), _details(kind, change)
    words = (at, f"{kind:<8}", key, details and f"({details})")
    return printable(" ".join(word for word in words if word))


def _details(kind: str, change: Members) -> str:
    size = number_of(change, "size")
    match kind:
        case "moved":
            return f"from {text_of(change, 'from')}"
        case "upload":
            return f"{text_of(change, 'state')}, {_share(change, 'offset', 'length')}"
        case "job":
            return (
                f"{text_of(change, 'work')} {text_of(change, 'state')}, {_share(change, 'bytes_done', 'bytes_total')}"
            )
        case "comment":
            return _comment(inner(change, "comment"))
        case _:
            return "" if size is None else size_text(size)


def _comment(comment: Members) -> str:
    if comment.get("is_deleted") is True:
        return "a comment was removed"
    text = text_of(comment, "text")
    return "" if text is None else f"{text_of(comment, 'author') or 'somebody'}: {text}"


def _share(change: Members, done: str, total: str) -> str:
    whole = number_of(change, total)
    return f"{size_text(number_of(change, done) or 0)}{'' if whole is None else f' of {size_text(whole)}'}"


def _json_line(event: Event) -> str:
    """The change as the server tells it, escaped to ASCII."""
    return json.dumps({"type": event.kind, **members_of(event.content)})

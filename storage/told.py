"""What the feed has told last of files: of each by itself, and of the folders that it lies in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import column, select, values
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import schema
from storage.change import origin_mark
from storage.claims import folders_above
from storage.keys import Key
from storage.moves import departures
from storage.suspects import Told

_ABOUT_FILES = ("created", "replaced", "deleted", "moved")
_BY_OTHERS = '"by":"other"'
"""What the feed says of changes that were made behind our back: those were told some time after they were made."""
_changes = schema.changes.c


@dataclass(frozen=True, slots=True)
class Last:
    """The newest change that says whether a file is there.

    `is_arrival`: a folder that it lies in has come through us, and the file with it if it is not younger.
    """

    number: int
    told: Told
    is_arrival: bool = False


async def last_told(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Last]:
    """The newest change of each of these files."""
    places = {key: (key, *map(Key, folders_above(key))) for key in keys}
    wanted = sorted({place for each in places.values() for place in each}, key=schema.as_bytes)
    if not wanted:
        return {}
    told = await _newest(connection, wanted)
    gone = await departures(connection, wanted)
    last: dict[Key, Last] = {}
    for key, its_places in places.items():
        found = list(_all_of(key, its_places, told, gone))
        if found:
            last[key] = max(found, key=lambda each: each.number)
    return last


async def has_told_move(connection: AsyncConnection, old: Key, new: Key, *, since_ms: int) -> bool:
    """Whether the feed tells, since a time (Unix), that what has one name had the other before."""
    moved = _changes.key == new, _changes.kind == "moved", _changes.subject == origin_mark(old)
    found = select(_changes.id).where(*moved, _changes.at_ms >= since_ms).limit(1)
    return (await connection.execute(found)).first() is not None


def _all_of(
    key: Key, places: Sequence[Key], told: Mapping[Key, Last], gone: Mapping[str, tuple[int, int]]
) -> Iterable[Last]:
    for place in places:
        if place in told and (place == key or told[place].is_arrival or told[place].told.kind == "deleted"):
            yield told[place]
        if place in gone:
            number, at_ms = gone[place]
            yield Last(number, Told("deleted", None, at_ms))


async def _newest(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Last]:
    wanted = values(column("key", schema.KeyBytes), name="wanted").data([(key,) for key in keys]).cte("wanted")
    about_files = _changes.key == wanted.c.key, _changes.kind.in_(_ABOUT_FILES)
    newest = select(_changes.id).where(*about_files).order_by(_changes.id.desc()).limit(1)
    ids = select(newest.correlate(wanted).scalar_subquery()).select_from(wanted)
    is_ours = ~_changes.content.contains(_BY_OTHERS)
    columns = (_changes.key, _changes.id, is_ours, _changes.kind, _changes.identity, _changes.at_ms)
    rows = await connection.execute(select(*columns).where(_changes.id.in_(ids)))
    return {
        Key(key): Last(number, Told(kind, *told), is_arrival=is_ours and key.endswith("/") and kind != "deleted")
        for key, number, is_ours, kind, *told in rows
        if key is not None
    }

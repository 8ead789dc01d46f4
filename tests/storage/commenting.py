"""Files to talk about, and a look at what was said about them."""

from collections.abc import Iterable

from sqlalchemy import insert

from storage import Catalogue, Key, schema
from tests.storage.conftest import pieces
from tests.storage.sites import Site

FILM = Key("films/film.mp4")
LOG = Key("log")
LOST = Key("not-\udcff-utf-8")


async def store_file(site: Site, key: Key) -> None:
    """Store a file, or a new version of it."""
    async with site.library.receive(pieces(b"content"), length=None, max_size=None, digests={}) as received:
        await site.library.commit(received, key)


async def left(catalogue: Catalogue) -> set[str]:
    """The texts of all comments that a catalogue has, whether their files are there or not."""
    async with catalogue.reading() as connection:
        return set((await connection.execute(schema.comments.select())).scalars("text"))


def row(key: Key, text: str) -> dict[str, object]:
    """A comment as a table has it."""
    return {"key": key, "at_ms": 1, "author": "", "text": text}


async def fill(site: Site, keys: Iterable[Key]) -> None:
    """Comment on files, whether there are any or not."""
    async with site.catalogue.changing() as connection:
        await connection.execute(
            insert(schema.comments), [row(key, key.encode("ascii", "replace").decode()) for key in keys]
        )

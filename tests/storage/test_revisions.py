"""What is said of a catalogue before it is opened."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage import Catalogue, catalogue_fault, catalogue_path


async def test_a_catalogue_of_this_version_or_none_at_all_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    assert catalogue_fault(path) is None
    catalogue = Catalogue(path)
    await catalogue.start()
    await catalogue.close()
    assert catalogue_fault(path) is None


async def test_a_newer_catalogue_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    catalogue = Catalogue(path)
    await catalogue.start()
    await catalogue.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
        connection.commit()
    fault = catalogue_fault(path)
    assert fault is not None
    assert "newer version (0099)" in fault


def test_what_is_no_catalogue_is_told(tmp_path: Path) -> None:
    path = catalogue_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)
    assert "cannot be read" in (catalogue_fault(path) or "")

"""Where the catalogue of a folder is, and whether this version may use it; told before anything is opened."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from storage.keys import RESERVED_NAME

_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def catalogue_path(root: Path) -> Path:
    """The file of the catalogue beside a folder's files."""
    return root / RESERVED_NAME / "catalogue.sqlite3"


def catalogue_fault(path: Path) -> str | None:
    """Why the file cannot be used as a catalogue, in words for whoever runs the server; None if it may be.

    A version that is older than the catalogue does not know what it would destroy.
    """
    known = sorted(name.stem.partition("_")[0] for name in _VERSIONS.glob("[0-9]*.py"))
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None  # not there, not begun, or busy: the start itself finds out
    except sqlite3.DatabaseError as error:
        return f"the catalogue {path} cannot be read: {error}"
    if row is None or row[0] in known:
        return None
    return f"the catalogue {path} was written by a newer version ({row[0]}); this one knows it up to {known[-1]}"

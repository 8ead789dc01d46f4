"""What must be true of a root once its server has gone, and of the server that came after it.

`held` is what clients were told: the SHA-256 that each key has; `undecided` are changes whose end nobody was told.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from storage.keys import RESERVED_NAME, Key
from storage.local_listing import entry_of
from tests.durability.changes import BrokenPromise, Change, Resumable
from tests.support.files import sha256_of
from tests.support.server import Server
from tests.support.wire import request
from tests.uploads.dialects import digest

Held = Mapping[str, str]


def check_files(root: Path, held: Held, undecided: Iterable[Change] = ()) -> dict[str, str]:
    """What the keys hold, having looked that each is what its client was told, and of the undecided the old or the new.

    Raises BrokenPromise, also for files that nobody stored: so a part of a file is found under any name.
    """
    found = {key: sha256_of(path) for key, path in _files(root)}
    allowed: dict[str, set[str | None]] = {key: {sha256} for key, sha256 in held.items()}
    for change in undecided:
        allowed[change.key] = {held.get(change.key), change.goal}
    for key in found.keys() | allowed.keys():
        if found.get(key) not in allowed.get(key, {None}):
            raise BrokenPromise(f"{key} is {found.get(key, 'absent')}, not one of {allowed.get(key, 'nothing')}")
    return found


def check_answers(server: Server, held: Held) -> None:
    """Look that the server gives each file, with its digest. Raises BrokenPromise."""
    for key, sha256 in held.items():
        answer = request(server.port, "GET", f"/files/{key}")
        told = answer.status, answer.head.get("etag"), answer.head.get("repr-digest")
        is_whole = hashlib.sha256(answer.body).hexdigest() == sha256
        if not is_whole or told != (200, f'"{sha256}"', digest("Repr-Digest", answer.body)[1]):
            raise BrokenPromise(f"{key}: {told}, {len(answer.body)} bytes, for {sha256}")


def check_catalogue(root: Path, held: Held, undecided: Iterable[Change] = ()) -> None:
    """Look that the catalogue knows the files that are there, no claim is left, and each draft is an open upload's.

    A removal that was cut off may have been forgotten already. Raises BrokenPromise.
    """
    files = {(key, entry_of(Key(key), path.stat()).identity, held[key]) for key, path in _files(root)}
    with closing(sqlite3.connect(f"file:{root}/{RESERVED_NAME}/catalogue.sqlite3?mode=ro", uri=True)) as database:
        known = {
            (key.decode(), *rest) for key, *rest in database.execute("SELECT key, identity, hex(sha256) FROM digests")
        }
        claims = database.execute("SELECT * FROM claims").fetchall()
        uploads = {row[0] for row in database.execute("SELECT upload_id FROM uploads WHERE sha256 IS NULL")}
        integrity = database.execute("PRAGMA integrity_check").fetchall()
    may_be_forgotten = {change.key for change in undecided if change.goal is None}
    difference = files ^ {(key, identity, sha256.lower()) for key, identity, sha256 in known}
    drafts = {path.name for path in (root / RESERVED_NAME / "drafts").iterdir()}
    wrong = [row for row in difference if row not in files or row[0] not in may_be_forgotten]
    if wrong or claims or drafts != uploads or integrity != [("ok",)]:
        raise BrokenPromise(f"digests {wrong}, claims {claims}, drafts {drafts ^ uploads}, {integrity}")


def check_drafts(root: Path, undecided: Iterable[Change]) -> None:
    """Look that each open upload holds a beginning of its file and nothing else. Raises BrokenPromise."""
    for change in undecided:
        if isinstance(change, Resumable) and change.target is not None:
            draft = root / RESERVED_NAME / "drafts" / change.target.rpartition("/")[2]
            if draft.exists() and not change.bytes_.startswith(draft.read_bytes()):
                raise BrokenPromise(f"{draft} is no beginning of {change.key}")


def _files(root: Path) -> list[tuple[str, Path]]:
    files = (path for path in root.rglob("*") if path.is_file())
    keyed = ((path.relative_to(root), path) for path in files)
    return [(str(key), path) for key, path in keyed if key.parts[0] not in (RESERVED_NAME, "lost+found")]

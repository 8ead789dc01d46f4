"""Where jobs have their folders: beneath the root that is served, or in a private place if nothing may be written."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path


def scratch_folder(asked: Path | None, own: Path, *, is_writable: bool) -> Path:
    """The folder that was asked for, else our own beneath the root, else a private one among the temporary files.

    The last has a name that is the same for all server processes of one user over one root.
    """
    if asked is not None:
        return asked
    if is_writable:
        return own
    name = hashlib.sha256(os.fsencode(own.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"{_prefix()}{name}"


def make_private(folder: Path) -> None:
    """Make a folder and those above it that are missing. Raises PermissionError where it is another user's, or a link.

    In a folder that everybody may write to, somebody may have taken the name before us.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for place in (folder, *(each for each in folder.parents if each.name.startswith(_prefix()))):
        found = os.lstat(place)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{place} is not ours")


def _prefix() -> str:
    """What the names of our places among the temporary files begin with, where anybody may make one first."""
    return f"fileserver-{os.geteuid()}-"

"""The one gate between a client's text and a path.

A key is relative, `/`-separated text. Keys to write are NFC and hold nothing that a person, a terminal or another
system would read as something else; keys to read may be any name that is on the disk already, as long as it stays
inside the root. Bytes that are no UTF-8 travel as lone surrogates (PEP 383), as Python's own file functions take them.
"""

import unicodedata
from typing import NewType

from storage.errors import InvalidKey

Key = NewType("Key", str)
Folder = NewType("Folder", str)
"""The empty text for the root, else a key with a `/` at its end."""

ROOT = Folder("")
RESERVED_NAME = ".fileserver"
MAX_KEY_BYTES = 1024  # as object stores have it, so that a library can move to a bucket
MAX_NAME_BYTES = 255  # NAME_MAX of the file systems we know
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def key_to_read(text: str) -> Key:
    """The key of a file that may be stored, also under a name that we would not create.

    >>> key_to_read("music/a.flac")
    'music/a.flac'

    Raises InvalidKey for a name that could leave the root or reach our own folder.
    """
    for name in text.split("/"):
        _refuse_escape(name)
    return Key(text)


def key_to_write(text: str) -> Key:
    """The key under which a new file may be stored, in NFC.

    >>> key_to_write("cafe\\u0301.txt") == "caf\\u00e9.txt"
    True

    Raises InvalidKey, with the reason.
    """
    key = key_to_read(unicodedata.normalize("NFC", text))
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise InvalidKey(f"the key is longer than {MAX_KEY_BYTES} bytes")
    for name in key.split("/"):
        _refuse_deceptive(name)
    return key


def folder_to_read(text: str) -> Folder:
    """The folder that a listing is asked of: empty for the root, else ending in `/`.

    >>> folder_to_read("music/")
    'music/'
    """
    return ROOT if text == "" else Folder(key_to_read(text.removesuffix("/")) + "/")


def folder_to_write(text: str) -> Folder:
    """The folder that new files are to be stored in, in NFC."""
    return ROOT if text == "" else Folder(key_to_write(text.removesuffix("/")) + "/")


def name_of(key: Key | Folder) -> str:
    """The last name of a key or folder.

    >>> name_of(Folder("music/live/"))
    'live'
    """
    return key.rstrip("/").rpartition("/")[2]


def is_reserved(name: str) -> bool:
    """Whether a name is that of our own folder, also on file systems that fold case or drop trailing dots."""
    if name.isascii() and not name.startswith("."):
        return False  # nearly all names, a million of them in one listing
    return unicodedata.normalize("NFKC", name).casefold().rstrip(". ") == RESERVED_NAME


def _refuse_escape(name: str) -> None:
    if name in {"", ".", ".."}:
        raise InvalidKey("a name in the key is empty, '.' or '..'")
    if "\0" in name:
        raise InvalidKey("the key holds a NUL")
    if not name.isascii() and not _is_of_bytes(name):
        raise InvalidKey("the key holds half of a surrogate pair")
    if is_reserved(name):
        raise InvalidKey("the key names the server's own folder")


def _is_of_bytes(name: str) -> bool:
    """Whether a name can be on a disk: the lone surrogates in it are bytes that are no UTF-8 (PEP 383)."""
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _refuse_deceptive(name: str) -> None:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise InvalidKey("the key holds a control character or is not valid UTF-8")
    if not _BIDI_CONTROLS.isdisjoint(name):
        raise InvalidKey("the key holds a character that changes the direction of text")
    if "\\" in name:
        raise InvalidKey("the key holds a backslash, which other systems read as a separator")
    if name.strip(". ") == "":
        raise InvalidKey("a name in the key is made of dots and spaces alone")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidKey(f"a name in the key is longer than {MAX_NAME_BYTES} bytes")

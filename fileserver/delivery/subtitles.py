"""Subtitle files beside a film: which there are, and each as WebVTT.

They are found anew each time, since they come and go without the film. What one says is read within a bound, in a
thread.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

import anyio
import anyio.to_thread

from fileserver.media.faults import CannotConvert
from fileserver.media.subtitles.files import MAX_SIZE, parse_subtitles
from fileserver.media.subtitles.sidecars import SUBFOLDERS, SidecarName, sidecar_name, words_of
from fileserver.media.subtitles.webvtt import track_text
from storage import Entry, Folder, Key, Library, NotFound, Subfolder, key_to_read, name_of

MAX_SIDECARS = 100
"""Of one film."""

_LISTED = 1000  # names looked at in one folder
_CHUNK_SIZE = 1 << 18
_FILMS = frozenset({"avi", "flv", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ogv", "ts", "webm", "wmv"})


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file of a film. `name` is its key as seen from the film's folder: `film.en.srt`, `Subs/film.srt`."""

    name: str
    entry: Entry
    said: SidecarName


@dataclass(frozen=True, slots=True)
class SidecarText:
    """A subtitle file as WebVTT, with the entry of the version that it was made of."""

    entry: Entry
    text: bytes


@dataclass(frozen=True, slots=True)
class Sidecars:
    """The subtitle files of a library's films."""

    library: Library
    _turn: anyio.CapacityLimiter = field(default_factory=partial(anyio.CapacityLimiter, 1), init=False)
    # one conversion at once: the longest keep a thread busy for a second, and all threads share one interpreter

    async def of(self, film: Key) -> tuple[Sidecar, ...]:
        """The subtitle files of a film: those beside it, and those in a folder for subtitles beside it.

        In such a folder they are taken by the film's name; whatever they are called where no other film is beside it.
        """
        folder, name = _place_of(film)
        found = await _beside(self.library, folder, name)
        for subfolder in await _subfolders(self.library, folder):
            with suppress(NotFound):
                found += await _in_subfolder(self.library, folder, subfolder, name)
        return tuple(found[:MAX_SIDECARS])

    async def read(self, film: Key, name: str) -> SidecarText:
        """A subtitle file by its name (`Sidecar.name`), as WebVTT.

        Raises NotFound for what is no such file, InvalidKey, CannotConvert for one that is too large.
        """
        folder, film_name = _place_of(film)
        said = sidecar_name(film_name, name) or _said_in_subfolder(film_name, name)
        if said is None:
            raise NotFound(folder + name)
        async with self.library.open(key_to_read(folder + name)) as reader:
            entry = await self.library.describe(reader)
            if entry.size > MAX_SIZE:
                raise CannotConvert(f"subtitles are read up to {MAX_SIZE} bytes")
            content = b"".join([chunk async for chunk in reader.chunks(range(entry.size), _CHUNK_SIZE)])
        return SidecarText(entry, await anyio.to_thread.run_sync(_converted, content, said, limiter=self._turn))


def _converted(content: bytes, said: SidecarName) -> bytes:
    return track_text(parse_subtitles(content, said.suffix, said.language)).encode()


def _said_in_subfolder(film: str, name: str) -> SidecarName | None:
    subfolder, _, rest = name.partition("/")
    last = rest.rpartition("/")[2]
    return sidecar_name(film, last) or words_of(last) if subfolder in SUBFOLDERS else None


async def _subfolders(library: Library, folder: Folder) -> list[Folder]:
    """The folders for subtitles that may be in a folder: by one look at it, if it is not too full for that."""
    wanted = [Folder(f"{folder}{each}/") for each in SUBFOLDERS]
    listed = await library.list(folder, is_recursive=False, after="", limit=_LISTED)
    if len(listed) == _LISTED:
        return wanted
    there = {each.folder for each in listed if isinstance(each, Subfolder)}
    return [each for each in wanted if each in there]


async def _beside(library: Library, folder: Folder, film: str) -> list[Sidecar]:
    """The files of a folder that are called like the film. They stand together in the order of keys."""
    before = folder + _stem_of(film) + "."
    listed = await _entries(library, folder, after=before)
    called_so = takewhile(lambda entry: entry.key.startswith(before), listed)
    return _sidecars(folder, called_so, partial(sidecar_name, film))


async def _in_subfolder(library: Library, home: Folder, folder: Folder, film: str) -> list[Sidecar]:
    """The subtitle files of a film in a folder for such. Raises NotFound."""
    entries = await _entries(library, folder)
    is_sole = await _is_sole_film(library, home, film)
    found = _sidecars(home, entries, lambda name: sidecar_name(film, name) or (words_of(name) if is_sole else None))
    with suppress(NotFound):
        found += _sidecars(home, await _entries(library, Folder(f"{folder}{_stem_of(film)}/")), words_of)
    return found


def _sidecars(home: Folder, entries: Iterable[Entry], say: Callable[[str], SidecarName | None]) -> list[Sidecar]:
    said = ((entry, say(name_of(entry.key))) for entry in entries)
    return [Sidecar(entry.key.removeprefix(home), entry, each) for entry, each in said if each is not None]


async def _is_sole_film(library: Library, folder: Folder, film: str) -> bool:
    names = [name_of(each.key) for each in await _entries(library, folder)]
    films = {name for name in names if name.rpartition(".")[2].lower() in _FILMS}
    return len(names) < _LISTED and films <= {film}


async def _entries(library: Library, folder: Folder, *, after: str = "") -> list[Entry]:
    listed = await library.list(folder, is_recursive=False, after=after, limit=_LISTED)
    return [each for each in listed if isinstance(each, Entry)]


def _stem_of(name: str) -> str:
    return name.rpartition(".")[0] or name


def _place_of(key: Key) -> tuple[Folder, str]:
    """The folder and the name of a file."""
    name = name_of(key)
    return Folder(key.removesuffix(name)), name

"""Files of many types, made by the programs that make them in earnest, each with the type that it truly has.

A third, chosen by a hash of the name, is held out: detection is not tuned on those, they only tell how good it is.
"""

import functools
import hashlib
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support.type_corpus_films import FILMS, PICTURES, SOUNDS
from tests.support.type_corpus_packed import DISGUISES, PACKED
from tests.support.type_corpus_programs import PROGRAMS
from tests.support.type_corpus_texts import TEXTS

_PATIENCE_S = 120
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Specimen:
    """One file: `types` are the true one, then other names that registries and programs have for the same."""

    name: str
    types: tuple[str, ...]
    made: str | bytes
    """A command of FFmpeg's or ImageMagick's; `=` and another's name, for a copy of that; or the bytes."""

    @property
    def is_held_out(self) -> bool:
        """Whether detection was not tuned on it."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 3 == 0

    def is_right(self, media_type: str) -> bool:
        """Whether an answer, its parameters aside, names the true type."""
        return media_type.partition(";")[0].strip().lower() in self.types


def specimens() -> tuple[Specimen, ...]:
    """Every one, in the order in which they can be made."""
    kinds = (FILMS, SOUNDS, PICTURES, PACKED, PROGRAMS, TEXTS, DISGUISES)
    return tuple(Specimen(name, tuple(types.split()), made) for kind in kinds for name, (types, made) in kind.items())


def make_corpus(chosen: Iterable[Specimen], folder: Path) -> dict[str, Path]:
    """Make each file in `folder` under its own name, and those that it is made of; return the paths of all by name."""
    known = {specimen.name: specimen for specimen in specimens()}
    wanted = {name: known[name] for specimen in chosen for name in (specimen.name, *_source_of(specimen))}
    own = [specimen for specimen in wanted.values() if not _source_of(specimen)]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(functools.partial(_make, folder), own))
    for specimen in wanted.values():
        for source in _source_of(specimen):
            (folder / specimen.name).write_bytes((folder / source).read_bytes())
    return {name: folder / name for name in wanted}


def _source_of(specimen: Specimen) -> tuple[str, ...]:
    is_copy = isinstance(specimen.made, str) and specimen.made.startswith("=")
    return (specimen.made[1:],) if is_copy and isinstance(specimen.made, str) else ()


def _make(folder: Path, specimen: Specimen) -> None:
    path = folder / specimen.name
    if isinstance(specimen.made, bytes):
        path.write_bytes(specimen.made)
        return
    program, *words = specimen.made.split()
    quiet = ("-v", "error", "-nostdin", "-y") if program == "ffmpeg" else ()
    is_forced = program == "convert" and len(words) > 1 and words[-1].endswith(":")
    target = f"{words.pop()}{path}" if is_forced else str(path)
    subprocess.run([program, *quiet, *words, target], check=True, timeout=_PATIENCE_S, capture_output=True)

"""What is told of a stored file as media: the facts that a worker found, and where everything of it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import anyio.to_thread

from fileserver.delivery.derivatives import Derivative, Derivatives
from fileserver.delivery.subtitles import Sidecar
from fileserver.media import NoSuchTrack, NotMedia
from fileserver.media.description import Stored, Subtitles, as_json, describe, parse_facts, undescribed
from fileserver.media.facts import Facts
from fileserver.media.playback import FASTSTART, VIRTUAL_WAV
from fileserver.media.storyboard import Grid, grid_for
from storage import Entry, Key, Reader, name_of

_FACTS = Derivative("describe")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything of a file is, each address with its version. `media` is that of its description."""

    key: Key
    file: str
    media: str
    version: str

    def __call__(self, what: str) -> str:
        """Where something of the file is, see `playback.Href`. Addresses of films end as the file's name does."""
        stem = PurePosixPath(name_of(self.key))
        match what:
            case "file":
                path = self.file
            case _ if what == FASTSTART:
                path = f"{self.media}/{FASTSTART}/{_quoted(stem.name)}"
            case _ if what == VIRTUAL_WAV:
                path = f"{self.media}/{VIRTUAL_WAV}/{_quoted(stem.with_suffix('.wav').name)}"
            case _:
                path = f"{self.media}/{what}"
        return f"{path}{'&' if '?' in path else '?'}v={self.version}"

    def of_sidecar(self, sidecar: Sidecar) -> Subtitles:
        """What is told of a subtitle file beside the film. It has versions of its own, so its address names none."""
        name = quote(sidecar.name.encode("utf-8", "surrogateescape"))
        said = sidecar.said
        return Subtitles(
            href=f"{self.media}/subtitles/{name}.vtt",
            language=said.language or None,
            label=said.label or sidecar.name,
            is_forced=said.is_forced,
            is_default=said.is_default,
            source="sidecar",
        )


async def facts_of(derivatives: Derivatives, reader: Reader) -> Facts:
    """What a worker finds in an opened file. Raises MediaFault of every kind."""
    return await derivatives.parsed(reader, _FACTS, parse_facts)


async def description_of(
    derivatives: Derivatives,
    reader: Reader,
    entry: Entry,
    addresses: Addresses,
    *,
    sidecars: Sequence[Sidecar] = (),
    may_transcode: bool,
) -> Mapping[str, Any]:
    """All of it, for a JSON encoder. Raises MediaFault of every kind but NotMedia and MediaMissing."""
    media_type = (entry.media_type or "").partition(";")[0]
    stored = Stored(key=entry.key, size=entry.size, etag=entry.etag, media_type=media_type)
    if derivatives.missing is not None:
        return as_json(undescribed(stored, addresses, missing=derivatives.missing))
    try:
        facts = await facts_of(derivatives, reader)
    except NotMedia:
        return as_json(undescribed(stored, addresses))
    beside = [addresses.of_sidecar(each) for each in sidecars]
    told = partial(describe, stored, facts, addresses, sidecars=beside, may_transcode=may_transcode)
    return await anyio.to_thread.run_sync(lambda: as_json(told()))  # 0.1 s of the most that a file may tell


async def grid_of(derivatives: Derivatives, reader: Reader) -> Grid:
    """The storyboard that an opened film has. Raises NoSuchTrack, and MediaFault of every other kind."""
    facts = await facts_of(derivatives, reader)
    for film in facts.films:
        wide, high = (int(part) for part in film.sample_aspect_ratio.split(":"))
        aspect = film.width * wide / max(film.height * high, 1)
        grid = grid_for(facts.format.duration or 0.0, 1 / aspect if film.rotation in {90, 270} else aspect)
        if grid is not None:
            return grid
    raise NoSuchTrack("the file has no film whose length is known")


def _quoted(name: str) -> str:
    return quote(name.encode("utf-8", "surrogateescape"), safe="")

"""Where the tracks of a file may be cut, and what a worker needs to make any segment: the grammar of the derivative
`index`. Pure: a worker writes it, the server reads it, and nobody keeps anything else about a stream.

All times are ticks of 1/90000 s from the file's start, which is the first presentation time of all its tracks.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, TypeAlias

TICKS: Final = 90_000
"""In a second: the clock of MPEG-TS, in which the usual frame rates are whole numbers."""

TARGET: Final = 6 * TICKS
FIRST: Final = 2 * TICKS
"""At least so long are segments, and the first one, so that play begins soon (Apple's authoring rules ask for 6 s)."""

MOST_CUTS: Final = 100_000
MOST_TRACKS: Final = 100
MAX_INDEX_SIZE: Final = 16 * 1024 * 1024
"""Bytes. 100,000 cuts take 3 MB."""

_VERSION = 1
_LATEST = 1 << 53
_NAME = re.compile(r"[vas]\d{1,4}")
_CODECS = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_KINDS = {"v": "video", "a": "audio", "s": "subtitle"}

Track: TypeAlias = Mapping[str, Any]
"""As JSON has it, of the keys that the engine's modules put there; those for playlists are checked here."""


class BrokenIndex(ValueError):
    """The bytes are no index of this version."""


@dataclass(frozen=True, slots=True)
class Index:
    """`cuts[n]` is where segment n begins, the first at 0; `end` is where the last one ends."""

    cuts: tuple[int, ...]
    end: int
    tracks: tuple[Track, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end / TICKS

    def track(self, name: str) -> Track | None:
        """The track that is called `v0`, `a1`..."""
        return next((track for track in self.tracks if track["id"] == name), None)

    def of_kind(self, kind: str) -> tuple[Track, ...]:
        """The tracks of a kind: `video`, `audio` or `subtitle`."""
        return tuple(track for track in self.tracks if track["kind"] == kind)

    def cuts_of(self, track: Track) -> tuple[int, ...]:
        """The cuts before the end of a track: it has no segments behind it. At least one."""
        return self.cuts[: max(1, bisect_left(self.cuts, track["end"]))]

    def end_of(self, track: Track) -> int:
        """Where the last segment of a track ends."""
        return max(int(track["end"]), self.cuts_of(track)[-1] + 1)

    def terms(self, track: Track, number: int) -> Mapping[str, Any] | None:
        """What the job `segment` has to know of segment `number`; None when the track has no such segment."""
        count = len(self.cuts_of(track))
        if not 0 <= number < count:
            return None
        end = self.cuts[number + 1] if number + 1 < len(self.cuts) else max(self.end, self.cuts[number] + 1)
        terms = {"track": _plain(track), "n": number, "start": self.cuts[number], "end": end, "origin": track["origin"]}
        return {**terms, "seek": track["seek"][number : number + 2]} if "seek" in track else terms


def init_terms(track: Track) -> Mapping[str, Any]:
    """What the job `init` has to know of a track."""
    return {"track": _plain(track)}


def parse_index(content: bytes) -> Index:
    """The index that a worker wrote. Raises BrokenIndex: a worker that a file has taken over may write anything.

    >>> parse_index(b'{"version":1,"cuts":[0,540000],"end":700000,"tracks":[]}').duration
    7.777777777777778
    """
    if len(content) > MAX_INDEX_SIZE:
        raise BrokenIndex("the index is too long")
    try:
        told = json.loads(content)
        found = Index(tuple(told["cuts"]), told["end"], tuple(_track(each) for each in told["tracks"]))
        _check(told["version"], found)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise BrokenIndex("it is no index of this version") from error
    return found


def written(index: Index) -> bytes:
    """An index as `parse_index` reads it."""
    told = {
        "version": _VERSION,
        "duration": index.duration,
        "cuts": index.cuts,
        "end": index.end,
        "tracks": index.tracks,
    }
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()


def cuts_at(times: Sequence[int]) -> tuple[int, ...]:
    """The places in `times` to cut at: the first, and each that is a segment's length behind the one before.

    >>> cuts_at([0, 90000, 180000, 500000, 720000, 990000])
    (0, 2, 4)
    """
    places: list[int] = []
    due = -_LATEST
    for place, time in enumerate(times):
        if time < due or len(places) >= MOST_CUTS:
            continue
        due = max(time, 0) + (TARGET if places else FIRST)
        places.append(place)
    return tuple(places)


def with_tail(index: Index, end: int) -> Index:
    """The index with `end` for all tracks together: where sound goes on behind the film, it is cut by the clock.

    >>> with_tail(Index((0,), 90000, ()), 1440000).cuts
    (0, 630000)
    """
    cuts, last = list(index.cuts), index.end
    while last + 2 * TARGET <= end and len(cuts) < MOST_CUTS:
        last += TARGET
        cuts.append(last)
    return replace(index, cuts=tuple(cuts), end=max(end, index.end))


def _plain(track: Track) -> Track:
    return {key: value for key, value in track.items() if key != "seek"}


def _check(version: object, index: Index) -> None:
    cuts = index.cuts
    if version != _VERSION or not 1 <= len(cuts) <= MOST_CUTS or len(index.tracks) > MOST_TRACKS:
        raise BrokenIndex("it has too many cuts or tracks, or none")
    if any(type(time) is not int for time in (*cuts, index.end)) or cuts[0] != 0 or not cuts[-1] < _LATEST:
        raise BrokenIndex("its cuts are no ticks")
    if any(later <= earlier for earlier, later in pairwise(cuts)) or not 0 < index.end < _LATEST:
        raise BrokenIndex("its cuts are in no order")
    if len({track["id"] for track in index.tracks}) < len(index.tracks):
        raise BrokenIndex("two tracks have one name")


def _track(told: Track) -> Track:
    """A track whose name, kind, times and codecs may be written into a playlist and an address."""
    is_named = _NAME.fullmatch(told["id"]) and told["kind"] == _KINDS[told["id"][0]]
    if not is_named or type(told["end"]) is not int or type(told["origin"]) is not int:
        raise BrokenIndex("a track has no name or no times")
    if told.get("codecs") is not None and not _CODECS.fullmatch(told["codecs"]):
        raise BrokenIndex("a track has no codecs")
    if not all(isinstance(told.get(key), str | None) for key in ("language", "title")):
        raise BrokenIndex("a track's language or title is no text")
    return dict(told)

"""HTTP Live Streaming of a stored file: nothing but the file and an address make a playlist or a segment."""

from dataclasses import dataclass

from fileserver.delivery.derivatives import Derivative, Derivatives
from fileserver.delivery.media_answer import Content, MadeByWorker, Text
from fileserver.media import CannotConvert, MediaEngineFailed, NoSuchTrack
from fileserver.media.fmp4.inits import track_init
from fileserver.media.index import BrokenIndex, Index, Track, init_terms, parse_index
from storage import Reader

_INDEX = Derivative("index")


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a track. `video` is the coding that film is to be converted into; None copies it."""

    track: str
    number: int
    video: str | None = None


async def index_of(derivatives: Derivatives, reader: Reader) -> Index:
    """Where the tracks of an opened file may be cut. Raises MediaFault of every kind."""
    return await derivatives.parsed(reader, _INDEX, _parsed)


def init_of(index: Index, name: str, video: str | None, content_type: str) -> Content:
    """What the segments of a track have in common. Raises NoSuchTrack, CannotConvert, MediaEngineFailed."""
    track = track_of(index, name)
    if track["kind"] == "subtitle":
        raise NoSuchTrack("subtitles have no init segment")
    if _is_transcoded(track, video):
        return MadeByWorker(Derivative("transcoded_init", init_terms(track)), content_type)
    try:
        return Text(track_init(track), content_type)
    except BrokenIndex as error:
        raise _no_index() from error


def segment_of(index: Index, asked: Segment) -> Derivative:
    """A segment of a track: kept where it is converted, since copying costs less than a look at the disk.

    Raises NoSuchTrack, CannotConvert.
    """
    track = track_of(index, asked.track)
    terms = index.terms(track, asked.number)
    if terms is None:
        raise NoSuchTrack(f"the track {asked.track} has no segment {asked.number}")
    if track["kind"] == "subtitle":
        return Derivative("subtitle_segment", terms)
    if _is_transcoded(track, asked.video):
        return Derivative("transcoded_segment", terms)
    return Derivative("segment", terms, is_kept=track["how"] != "copy")


def track_of(index: Index, name: str) -> Track:
    """A track by its name. Raises NoSuchTrack."""
    track = index.track(name)
    if track is None:
        raise NoSuchTrack(f"the file has no track {name} that plays")
    return track


def _is_transcoded(track: Track, video: str | None) -> bool:
    """Whether the film of a track is converted, as far as it is one. Raises CannotConvert where it has to be."""
    if track["kind"] == "video" and video is None and track["how"] != "copy":
        raise CannotConvert("no browser plays such film as it is: ask for it with video=h264")
    return track["kind"] == "video" and video is not None


def _parsed(content: bytes) -> Index:
    try:
        return parse_index(content)
    except BrokenIndex as error:
        raise _no_index() from error


def _no_index() -> MediaEngineFailed:
    return MediaEngineFailed("the worker wrote no index")

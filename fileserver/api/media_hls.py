"""HTTP Live Streaming (RFC 8216) of stored files: `/media/{key}/hls/…`. Nothing is prepared, and nothing remembered."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from fileserver.api.media_parts import Version, composed, part, text
from fileserver.api.responses import HlsPlaylist, Mp4Part, WebVtt
from fileserver.api.service import service_of
from fileserver.delivery.hls import Segment, index_of, init_of, segment_of, track_of
from fileserver.delivery.media_answer import Content, MadeByWorker
from fileserver.delivery.virtual import version_of
from fileserver.media import CannotConvert, NoSuchTrack
from fileserver.media.index import Index
from fileserver.media.playlists import master_playlist, media_playlist
from storage import Entry, Reader

router = APIRouter(tags=["media"])

Video: TypeAlias = Annotated[
    Literal["h264"] | None, Query(description="Have the film converted, where the server does that.")
]


@part(router, "hls/master.m3u8", HlsPlaylist, "Stream a film or a record by HLS")
async def master(request: Request, video: Video = None, v: Version = None) -> Response:
    """The multivariant playlist: the film, and a choice of its sounds and subtitles."""
    _must_be_on(request, video)
    return _playlist(request, "hls/master.m3u8", partial(master_playlist, video=video), video, v)


@part(router, "hls/{track}/index.m3u8", HlsPlaylist, "Stream one track of a file by HLS")
async def playlist(request: Request, track: str, video: Video = None, v: Version = None) -> Response:
    """The media playlist of a track: where its segments are, and how long each of them lasts."""
    _must_be_on(request, video)

    def written(index: Index, query: str) -> str:
        return media_playlist(index, track_of(index, track), query, video=video)

    return _playlist(request, "hls/-/index.m3u8", written, video, v)


@part(router, "hls/{track}/init.mp4", Mp4Part, "Begin a track of HLS")
async def init(request: Request, track: str, video: Video = None, v: Version = None) -> Response:
    """What all segments of the track have in common (ISO 14496-12 s.8.1)."""
    _must_be_on(request, video)
    derivatives = service_of(request).derivatives

    async def content(reader: Reader, _entry: Entry) -> Content:
        return init_of(await index_of(derivatives, reader), track, video, Mp4Part.content_type)

    return composed(request, "hls/-/init.mp4", Mp4Part, content, v)


@part(router, "hls/{track}/{number:number}.m4s", Mp4Part, "Play a segment of HLS")
async def segment(request: Request, track: str, number: int, video: Video = None, v: Version = None) -> Response:
    """The pictures or the sound between two cuts, in fragmented MP4."""
    _must_be_on(request, video)
    return _segment(request, Segment(track, number, video), Mp4Part, v)


@part(router, "hls/{track}/{number:number}.vtt", WebVtt, "Read a segment of HLS")
async def words(request: Request, track: str, number: int, v: Version = None) -> Response:
    """The subtitles that are to be seen between two cuts."""
    return _segment(request, Segment(track, number), WebVtt, v)


def _segment(request: Request, asked: Segment, kind: type[Mp4Part] | type[WebVtt], version: str | None) -> Response:
    derivatives = service_of(request).derivatives

    async def content(reader: Reader, _entry: Entry) -> Content:
        index = await index_of(derivatives, reader)
        if (track_of(index, asked.track)["kind"] == "subtitle") is not (kind is WebVtt):
            raise NoSuchTrack(f"the track {asked.track} has no segments of this kind")
        return MadeByWorker(segment_of(index, asked), kind.content_type)

    return composed(request, f"hls/-/{asked.number}.{'vtt' if kind is WebVtt else 'm4s'}", kind, content, version)


def _playlist(
    request: Request, ending: str, written: Callable[[Index, str], str], video: str | None, version: str | None
) -> Response:
    """A playlist whose addresses name the version it was made of: segments of another one would not fit to it."""
    derivatives = service_of(request).derivatives

    async def content(reader: Reader, entry: Entry) -> Content:
        index = await index_of(derivatives, reader)
        query = _query(video, version_of(entry))
        return text(await anyio.to_thread.run_sync(written, index, query), HlsPlaylist)  # 0.2 s of 100,000 cuts

    return composed(request, ending, HlsPlaylist, content, version)


def _must_be_on(request: Request, video: str | None) -> None:
    if video is not None and not service_of(request).settings.video_transcode:
        raise CannotConvert("film is not converted here: the server was started without --video-transcode")


def _query(video: str | None, version: str) -> str:
    """What addresses in a playlist end in: they ask for what it was asked for, of the same version."""
    asked = {"video": video, "v": version}
    return f"?{urlencode({name: value for name, value in asked.items() if value is not None})}"

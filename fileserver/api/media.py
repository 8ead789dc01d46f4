"""`/media/{key}`: what a stored file is, how it plays, and the forms it plays in."""

from pathlib import PurePosixPath
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import openapi
from fileserver.api.media_description import addresses_of, answer_description
from fileserver.api.media_parts import Version, composed, key_of_part, media_key, part, text
from fileserver.api.responses import FileBytes, JsonStream, M3uPlaylist, WavSound, answers
from fileserver.api.service import service_of
from fileserver.delivery.faststart import FaststartDownload
from fileserver.delivery.media_answer import Content
from fileserver.delivery.media_description import facts_of
from fileserver.delivery.virtual_wav import WavDownload
from fileserver.media.play_list import play_list
from storage import Entry, Reader, name_of

router = APIRouter(tags=["media"])

Download: TypeAlias = Annotated[
    str | None, Query(description="Have the browser save it, under this name if there is one.")
]


@part(router, "play.m3u", M3uPlaylist, "Open a file in a player")
async def play(request: Request, v: Version = None) -> Response:
    """A play list with the file's own address, which VLC, mpv and others open; it works without what media need."""
    service = service_of(request)
    key = key_of_part(request, "play.m3u")
    at = addresses_of(request, key)
    origin = f"{request.url.scheme}://{request.url.netloc}"

    async def content(reader: Reader, entry: Entry) -> Content:
        facts = None if service.derivatives.missing else await facts_of(service.derivatives, reader)
        duration = None if facts is None else facts.format.duration
        return text(play_list(origin + at(entry)("file"), name_of(key), duration), M3uPlaylist)

    return composed(request, "play.m3u", M3uPlaylist, content, v, is_attachment=True)


@part(router, "faststart/{name}", FileBytes, "Download an MP4 with its index in front")
async def faststart(request: Request, download: Download = None, v: Version = None) -> Response:
    """The same file, with the index before the media wherever it is stored: it plays while it comes, on every player.

    What is no MP4, or has its index in front, comes as it is.
    """
    service = service_of(request)
    settings = service.settings
    key = key_of_part(request, "faststart/-")
    return FileBytes(
        FaststartDownload(service.library, service.layouts, key, v, download, settings.chunk_size, settings.limit_rate)
    )


@part(router, "wav/{name}.wav", WavSound, "Download the sound of a file as WAV")
async def wav(
    request: Request,
    track: Annotated[
        str | None, Query(pattern="^a[0-9]{1,3}$", description="Which, as the description names it; else the first.")
    ] = None,
    download: Download = None,
    v: Version = None,
) -> Response:
    """Sample by sample what a lossless recording holds, of exact length and in ranges; nothing is stored."""
    service = service_of(request)
    settings = service.settings
    key = key_of_part(request, "wav/-.wav")
    name = f"{PurePosixPath(name_of(key)).stem}.wav"
    return WavSound(
        WavDownload(service.derivatives, key, track, name, v, download, settings.chunk_size, settings.limit_rate)
    )


@router.get(
    "/media/{key:key}",
    summary="See what a file is and how it plays",
    response_class=JsonStream,
    responses=answers(JsonStream),
    openapi_extra=openapi.READ,
)
@router.head("/media/{key:key}", include_in_schema=False)
async def describe(request: Request, v: Version = None) -> Response:
    """Its tracks, chapters and tags in the words of ffprobe, and the ways to play it in the order to try them.

    Each way has a media type with the codings of all that would be played: a client takes the first that its player
    supports. Errors tell it nothing: browsers play a film whose sound they lack silently.
    """
    return answer_description(request, media_key(request), v)

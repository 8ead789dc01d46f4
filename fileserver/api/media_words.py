"""What is written beside media: `/media/{key}/subtitles/…`, its chapters, and how far somebody has come in it."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from fileserver.api import openapi, progress
from fileserver.api.media_parts import Version, composed, key_of_part, made, part, text
from fileserver.api.requests import key_text
from fileserver.api.responses import JsonDocument, WebVtt
from fileserver.api.service import service_of
from fileserver.delivery.derivatives import Derivative
from fileserver.delivery.media_answer import Content, Text
from fileserver.delivery.media_description import facts_of
from fileserver.media.subtitles.sidecars import split_address
from fileserver.media.subtitles.webvtt import chapters_text
from storage import Entry, Reader, key_to_read

router = APIRouter(tags=["media"])


@part(router, "subtitles/s{number:number}.vtt", WebVtt, "See subtitles that are in a film")
async def embedded(request: Request, number: int, v: Version = None) -> Response:
    """A track of text, whole; the description has the addresses of all there are."""
    derivative = Derivative("subtitles", {"track": f"s{number}"})
    return made(request, f"subtitles/s{number}.vtt", WebVtt, derivative, v)


@part(router, "subtitles/{name:key}.vtt", WebVtt, "See subtitles that are beside a film")
async def beside(request: Request, name: str) -> Response:
    """A file of SubRip, WebVTT or (Advanced) SubStation Alpha, by its name; the description has the addresses."""
    sidecars = service_of(request).sidecars
    whole = key_text(request, "/media/").removesuffix(".vtt")
    film, name = split_address(whole)

    async def content(_reader: Reader, _entry: Entry) -> Content:
        return Text((await sidecars.read(key_to_read(film), name)).text, WebVtt.content_type)

    return composed(request, f"subtitles/{name}.vtt", WebVtt, content, None)


@part(router, "chapters.vtt", WebVtt, "See the chapters of a recording")
async def chapters(request: Request, v: Version = None) -> Response:
    """As a WebVTT track; empty where there are none."""
    derivatives = service_of(request).derivatives

    async def content(reader: Reader, _entry: Entry) -> Content:
        found = (await facts_of(derivatives, reader)).chapters
        return text(chapters_text(asdict(each) for each in found), WebVtt)

    return composed(request, "chapters.vtt", WebVtt, content, v)


@part(router, "progress", JsonDocument, "See how far somebody has come in a recording")
async def read_progress(request: Request) -> Response:
    """The position of whoever asks, in seconds; the beginning where nothing is known."""
    return await progress.read_progress(request, key_of_part(request, "progress"))


@router.put(
    "/media/{key:key}/progress",
    summary="Note how far somebody has come in a recording",
    status_code=204,
    response_class=Response,
    openapi_extra={"parameters": [openapi.KEY], **progress.BODY, "responses": progress.REFUSALS},
)
async def write_progress(request: Request) -> Response:
    """To go on from there, on this machine or another. A read-only server keeps it too, as long as it runs."""
    return await progress.write_progress(request, key_of_part(request, "progress"))

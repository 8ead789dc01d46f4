"""Pictures of media, and the shape of its sound: `/media/{key}/poster` and its kin."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from fileserver.api.media_description import addresses_of
from fileserver.api.media_parts import Version, Width, composed, key_of_part, made, part, text, width_of
from fileserver.api.responses import JsonStream, Picture, WebPicture, WebVtt
from fileserver.api.service import service_of
from fileserver.delivery.derivatives import Derivative
from fileserver.delivery.media_answer import Content, MadeByWorker
from fileserver.delivery.media_description import grid_of
from fileserver.media.storyboard import storyboard_vtt
from storage import Entry, Reader

router = APIRouter(tags=["media"])

_TIME_S = 10**7  # no film is so long


@part(router, "poster", WebPicture, "See the picture that stands for a film")
async def poster(request: Request, width: Width = 640, v: Version = None) -> Response:
    """A frame from the first half that shows something, as WebP."""
    return made(request, "poster", WebPicture, Derivative("thumbnail", {"t": None, "width": width_of(width)}), v)


@part(router, "thumbnail", WebPicture, "See a film's picture at a time")
async def thumbnail(
    request: Request,
    t: Annotated[float, Query(ge=0, le=_TIME_S, description="Seconds from the film's beginning, to a tenth.")] = 0.0,
    width: Width = 320,
    v: Version = None,
) -> Response:
    """The frame that is shown then, as WebP; of high resolutions, the one at the keyframe before."""
    return made(
        request, "thumbnail", WebPicture, Derivative("thumbnail", {"t": round(t, 1), "width": width_of(width)}), v
    )


@part(router, "preview", WebPicture, "See a still picture in a form that every browser shows")
async def preview(request: Request, width: Width = 1280, v: Version = None) -> Response:
    """The picture upright and without what the camera noted, as WebP: of HEIC and JPEG XL too."""
    return made(request, "preview", WebPicture, Derivative("preview", {"width": width_of(width)}), v)


@part(router, "cover", Picture, "See the picture that is attached to a record or film")
async def cover(request: Request, v: Version = None) -> Response:
    """As it is: JPEG or PNG mostly."""

    async def content(_reader: Reader, _entry: Entry) -> Content:
        return MadeByWorker(Derivative("cover"))

    return composed(request, "cover", Picture, content, v)


@part(router, "storyboard.webp", WebPicture, "See pictures from all over a film in one")
async def storyboard(request: Request, v: Version = None) -> Response:
    """Up to 100 keyframes; `storyboard.vtt` tells which of them is when."""
    derivatives = service_of(request).derivatives

    async def content(reader: Reader, _entry: Entry) -> Content:
        grid = await grid_of(derivatives, reader)
        return MadeByWorker(Derivative("storyboard", grid.terms), WebPicture.content_type)

    return composed(request, "storyboard.webp", WebPicture, content, v)


@part(router, "storyboard.vtt", WebVtt, "Find the pictures of a storyboard by time")
async def storyboard_times(request: Request, v: Version = None) -> Response:
    """Cues whose text is the storyboard's address and a part of it (`#xywh=`)."""
    derivatives = service_of(request).derivatives
    at = addresses_of(request, key_of_part(request, "storyboard.vtt"))

    async def content(reader: Reader, entry: Entry) -> Content:
        return text(storyboard_vtt(await grid_of(derivatives, reader), at(entry)("storyboard.webp")), WebVtt)

    return composed(request, "storyboard.vtt", WebVtt, content, v)


@part(router, "waveform.json", JsonStream, "See the shape of a file's sound")
async def waveform(
    request: Request,
    pixels: Annotated[int, Query(ge=1, le=4000, description="Pairs of a lowest and a highest sample.")] = 1000,
    v: Version = None,
) -> Response:
    """Peaks over the whole time, in the JSON of BBC's audiowaveform, version 2."""
    return made(request, "waveform.json", JsonStream, Derivative("waveform", {"pixels": pixels}), v)

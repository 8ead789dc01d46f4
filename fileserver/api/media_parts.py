"""What the routes below `/media/{key}` share."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import openapi
from fileserver.api.media_description import answer_description
from fileserver.api.requests import key_text
from fileserver.api.responses import Made, answers
from fileserver.api.service import service_of
from fileserver.delivery.derivatives import Derivative
from fileserver.delivery.media_answer import Content, MadeByWorker, MediaAnswer, Text
from storage import Entry, FolderInTheWay, Key, Reader, key_to_read, name_of

Endpoint: TypeAlias = Callable[..., Awaitable[Response]]
Contents: TypeAlias = Callable[[Reader, Entry], Awaitable[Content]]

Version: TypeAlias = Annotated[
    str | None,
    Query(description="The version of the file that is meant: of others there is none, and this may be kept for good."),
]
_WIDTHS = (160, 320, 640, 960, 1280, 1920)
Width: TypeAlias = Annotated[
    int, Query(ge=16, le=1920, description=f"Pixels: the next of {_WIDTHS} counts. No picture is made larger.")
]


def width_of(asked: int) -> int:
    """One of few widths, so that what is made once does for many.

    >>> width_of(300), width_of(1920)
    (320, 1920)
    """
    return next(width for width in _WIDTHS if width >= asked)


def part(router: APIRouter, ending: str, kind: type[Response], summary: str) -> Callable[[Endpoint], Endpoint]:
    """A route for GET and HEAD of what is below a file.

    A key may itself end in what looks like a part (a file called `poster`): where nothing is stored above it, the whole
    is taken for a name.
    """

    def register(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answering(request: Request, **wishes: Any) -> Response:
            whole = key_text(request, "/media/")
            if not await _is_file(request, _above(whole, ending)) and await _is_file(request, whole):
                return answer_description(request, key_to_read(whole), wishes.get("v"))
            return await endpoint(request, **wishes)

        address = f"/media/{{key:key}}/{ending}"
        router.head(address, include_in_schema=False)(answering)
        return router.get(
            address, summary=summary, response_class=kind, responses=answers(kind), openapi_extra=openapi.READ
        )(answering)

    return register


def media_key(request: Request) -> Key:
    """The key of the file that is asked about as a whole. Raises InvalidKey."""
    return key_to_read(key_text(request, "/media/"))


def key_of_part(request: Request, ending: str) -> Key:
    """The key of the file whose part is asked for; `ending` has as many slashes as the part's address. InvalidKey."""
    return key_to_read(_above(key_text(request, "/media/"), ending))


def made(
    request: Request,
    ending: str,
    kind: type[Made],
    derivative: Derivative,
    version: str | None,
) -> Made:
    """What a worker makes of the file."""

    async def content(_reader: Reader, _entry: Entry) -> Content:
        return MadeByWorker(derivative, kind.content_type)

    return composed(request, ending, kind, content, version)


def composed(
    request: Request,
    ending: str,
    kind: type[Made],
    content: Contents,
    version: str | None,
    *,
    is_attachment: bool = False,
) -> Made:
    """What `content` tells of the opened file. A browser saves it under the file's name and the part's."""
    key = key_of_part(request, ending)
    name = f"{name_of(key)}.{ending.rpartition('/')[2]}"
    return kind(MediaAnswer(service_of(request).derivatives, key, version, name, content, is_attachment))


def text(content: str, kind: type[Made]) -> Text:
    """A document that is made on the spot."""
    return Text(content.encode(), kind.content_type)


def _above(whole: str, ending: str) -> str:
    return whole.rsplit("/", ending.count("/") + 1)[0]


async def _is_file(request: Request, name: str) -> bool:
    try:
        return await service_of(request).library.stat(key_to_read(name)) is not None
    except FolderInTheWay:
        return False

"""`/comments/{key}`: what people say about a file."""

from dataclasses import replace
from functools import partial
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from fileserver.api import openapi
from fileserver.api.comment_body import Said, malformed, parse_comment
from fileserver.api.requests import (
    json_body,
    key_text,
    must_be_writable,
    owner_of,
    root_href,
)
from fileserver.api.responses import JsonDocument, Lines, answers, live_headers
from fileserver.api.service import service_of
from fileserver.delivery.live import LINES, Batches, LiveAnswer, Record
from fileserver.http import problems
from fileserver.http.negotiation import choose
from fileserver.http.problems import Problem, ProblemError
from storage import CommentPage, Comments, IsFolder, Key, NewComment, TooManyComments, key_to_read

router = APIRouter(tags=["comments"])

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
MAX_BODY = 65_536
"""Bytes: four thousand characters, each escaped as two surrogates, and what else a comment has."""

_LAST = 2**63 - 1  # of the numbers that a database gives
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Said.model_json_schema()}}}}
_REFUSALS = openapi.problem_responses(
    problems.MALFORMED_REQUEST, problems.NOT_FOUND, problems.TOO_MANY_COMMENTS, problems.UNSUPPORTED_MEDIA_TYPE
)


@router.post(
    "/comments/{key:key}",
    summary="Say something about a file",
    status_code=201,
    response_class=JsonDocument,
    responses=answers(JsonDocument, status=201, document="Comment"),
    openapi_extra={"parameters": [openapi.KEY], **_BODY, "responses": _REFUSALS},
)
async def say(request: Request) -> Response:
    """Plain text, about the file or, with `media_time` (seconds) or `byte_offset`, about a place in it.

    Whoever watches `/events` sees it at once. Where an application that embeds this server knows who asks, that is the
    author, and nobody can choose another.
    """
    must_be_writable(request)
    key = _key(request)
    new = _signed(request, parse_comment(await json_body(request, "the comment", MAX_BODY)))
    try:
        comment = await _comments(request).add(key, new)
    except TooManyComments as error:
        detail = f"A file has at most {error.max_comments} comments. Delete some."
        raise ProblemError(Problem(problems.TOO_MANY_COMMENTS, detail)) from error
    location = _href(request, key, comment=comment.id)
    return JsonDocument(comment.told(), 201, {**_HEADERS, "location": location})


@router.get(
    "/comments/{key:key}",
    summary="Read what was said about a file",
    response_class=JsonDocument,
    responses=answers(JsonDocument, Lines, document="CommentOrPage", record="CommentRecord"),
    openapi_extra={"parameters": [openapi.KEY]},
)
@router.head("/comments/{key:key}", include_in_schema=False)
async def read(
    request: Request,
    comment: Annotated[int | None, Query(ge=1, le=_LAST, description="The number of a single comment.")] = None,
    after: Annotated[int, Query(ge=0, le=_LAST, description="The number of the last comment that one has.")] = 0,
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_PAGE_SIZE, description=f"At most so many; {PAGE_SIZE} on a page of JSON.")
    ] = None,
) -> Response:
    """The comment with this number, or those after a number, the oldest first: as JSON by pages, or all as NDJSON.

    A page has `limit` comments (100), or fewer where they are long; `next` and Link lead to the next one.
    """
    key, comments = _key(request), _comments(request)
    if comment is not None:
        found = await comments.get(key, comment)
        if found is None:
            raise _missing()
        return JsonDocument(found.told(), headers=_HEADERS)
    chosen = choose(request.headers.getlist("accept"), (str(JsonDocument.media_type), Lines.content_type))
    if chosen is None:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"Comments come as JSON or {Lines.content_type}."))
    page = await comments.page(key, after=after, limit=limit or PAGE_SIZE)
    if chosen == Lines.content_type:
        return _lines(request, key, page, limit)
    return _page(request, key, page, limit)


@router.delete(
    "/comments/{key:key}",
    summary="Delete a comment",
    status_code=204,
    response_class=Response,
    openapi_extra=openapi.READ,
)
async def remove(
    request: Request, comment: Annotated[int, Query(ge=1, le=_LAST, description="Its number.")]
) -> Response:
    """Whoever may write files may delete what was said about them."""
    must_be_writable(request)
    if not await _comments(request).remove(_key(request), comment):
        raise _missing()
    return Response(status_code=204, headers={"cache-control": "no-store"})


def _page(request: Request, key: Key, page: CommentPage, limit: int | None) -> Response:
    told = [comment.told() for comment in page.comments]
    given = {} if limit is None else {"limit": limit}
    next_href = _href(request, key, after=page.comments[-1].id, **given) if page.has_more else None
    link = {"link": f'<{next_href}>; rel="next"'} if next_href else {}  # RFC 8288
    return JsonDocument({"comments": told, "next": next_href}, headers={**_HEADERS, "vary": "accept", **link})


def _lines(request: Request, key: Key, first: CommentPage, limit: int | None) -> Response:
    source = partial(_records, _comments(request), key, first, limit)
    return Lines(LiveAnswer(live_headers(Lines.content_type), LINES, source, service_of(request).stopping))


async def _records(comments: Comments, key: Key, page: CommentPage, limit: int | None) -> Batches:
    """A page of comments after the other, to the end or up to a number of them. Raises NotFound, IsFolder."""
    left = limit
    while page.comments:
        yield [Record("comment", comment.told(), str(comment.id)) for comment in page.comments]
        left = None if left is None else left - len(page.comments)
        if not page.has_more or left == 0:
            return
        page = await comments.page(key, after=page.comments[-1].id, limit=min(left or PAGE_SIZE, PAGE_SIZE))


def _signed(request: Request, new: NewComment) -> NewComment:
    """The comment with its author, who is not chosen where an application that embeds this one knows who asks.

    Raises ProblemError for a choice of another.
    """
    if "user" not in request.scope:
        return new
    if new.author not in ("", owner_of(request)):
        raise malformed("author", "who says it is known already")
    return replace(new, author=owner_of(request))


def _key(request: Request) -> Key:
    """The file that a request is about. Raises InvalidKey, and IsFolder for what can only be a folder."""
    text = key_text(request, "/comments/")
    if text == "" or text.endswith("/"):
        raise IsFolder(text)
    return key_to_read(text)


def _href(request: Request, key: Key, **query: int) -> str:
    path = quote(key.encode("utf-8", "surrogateescape"))
    return f"{root_href(request)}comments/{path}?{urlencode(query)}"


def _comments(request: Request) -> Comments:
    return service_of(request).library.comments


def _missing() -> ProblemError:
    return ProblemError(Problem(problems.NOT_FOUND, "There is no such comment, or no more."))

"""What a client may have done as a job, said in JSON, and the task that does it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import get_args

from fastapi import Request

from fileserver.api.openapi import problem_responses
from fileserver.api.requests import media_type_of, must_be_of_this_site, must_be_writable
from fileserver.api.service import Service
from fileserver.api.tables import plan_of
from fileserver.delivery.asgi import body_of
from fileserver.delivery.long_work import LongWork, Task, when_a_worker_is_free
from fileserver.delivery.tables import index_rows
from fileserver.delivery.verifying import hash_files, verify_files
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from fileserver.jobs import Json, OpenJob, Work
from storage import Key, TooLarge, folder_to_read, key_to_read

MAX_SIZE = 16 * 1024
"""Bytes of a wish: a key or prefix of the longest kind, each of its characters escaped."""

_PREFIX = {"type": "string", "default": "", "description": "Only files whose keys begin so."}


@dataclass(frozen=True, slots=True)
class Wish:
    """A kind of work, and its object: the prefix of keys for `verify` and `hash`, the key of a table for `index`."""

    work: Work
    target: str

    @property
    def asked(self) -> Mapping[str, Json]:
        """The object, as the job tells of it."""
        return {_MEMBERS[self.work]: self.target}


_MEMBERS: Mapping[Work, str] = {"verify": "prefix", "hash": "prefix", "index": "key"}
"""The member that names the object, by the kinds of work that can be asked for."""

_SCHEMAS = [
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["work"] if member == "prefix" else ["work", member],
        "properties": {"work": {"const": work}, member: _PREFIX if member == "prefix" else {"type": "string"}},
    }
    for work, member in _MEMBERS.items()
]
BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": _SCHEMAS}}}},
    "responses": problem_responses(
        problems.CROSS_SITE,
        problems.INVALID_KEY,
        problems.MALFORMED_REQUEST,
        problems.NOT_FOUND,
        problems.READ_ONLY,
        problems.TOO_MANY_JOBS,
        problems.UNSUPPORTED_MEDIA_TYPE,
    ),
}
"""Of `POST /jobs`, as the description has it."""


async def body_of_wish(request: Request) -> bytes:
    """The body of a request that asks for a job. Raises ProblemError, TooLarge, ClientLeft."""
    if media_type_of(request) != "application/json":
        detail = "Say what is to be done as application/json."
        raise ProblemError(Problem(problems.UNSUPPORTED_MEDIA_TYPE, detail), (("accept-post", "application/json"),))
    body = bytearray()
    async for chunk in body_of(request.receive):
        body += chunk
        if len(body) > MAX_SIZE:
            raise TooLarge(MAX_SIZE)
    return bytes(body)


def wish_of(body: bytes) -> Wish:
    """The wish that a JSON document is.

    >>> wish_of(b'{"work": "verify", "prefix": "videos/"}')
    Wish(work='verify', target='videos/')
    >>> wish_of(b'{"work": "hash"}').asked
    {'prefix': ''}

    Raises ProblemError whose `field` is the member at fault, and InvalidKey.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _malformed(None, "this is no JSON") from error
    if not isinstance(said, dict):
        raise _malformed(None, "this is no JSON object")
    work = next((each for each in get_args(Work) if each in _MEMBERS and each == said.get("work")), None)
    if work is None:
        _required(said, "work")
        raise _malformed("work", f"`work` is one of {', '.join(_MEMBERS)}")
    member = _MEMBERS[work]
    for name in said.keys() - {"work", member}:
        raise _malformed(str(name), f"{work} knows only `{member}`")
    target = said.get(member, "") if member == "prefix" else _required(said, member)
    if not isinstance(target, str):
        raise _malformed(member, f"`{member}` is a text")
    if not _is_name(target):
        raise _malformed(member, f"half of a surrogate pair is no part of `{member}`")
    if member == "key":
        key_to_read(target)
    else:
        folder_to_read(target[: target.rfind("/") + 1])
    return Wish(work, target)


def may_be_asked(request: Request, wish: Wish) -> None:
    """Refuse what writes on a read-only server, and all that costs at another site's instigation."""
    if wish.work == "verify":
        must_be_of_this_site(request)
    else:
        must_be_writable(request)


def _required(said: Mapping[str, object], member: str) -> object:
    """A member that has to be there. Raises ProblemError."""
    if member not in said:
        raise _malformed(member, f"`{member}` is missing")
    return said[member]


def _is_name(text: str) -> bool:
    """Whether a text can be a file's name: the lone surrogates in it are bytes that are no UTF-8 (PEP 383).

    >>> _is_name("caf\\udce9"), _is_name("\\ud800")
    (True, False)
    """
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


async def task_of(service: Service, work: LongWork, wish: Wish) -> Task:
    """What does it. Raises NotFound, IsFolder for a table that is not there."""
    match wish.work:
        case "verify":
            return partial(verify_files, verification=work.verify(prefix=wish.target))
        case "hash":
            verification = work.verify(prefix=wish.target, learn=service.library.learn_digest)
            return partial(hash_files, library=service.library, verification=verification)
        case _:
            return await _indexing(service, Key(wish.target))


async def _indexing(service: Service, key: Key) -> Task:
    library, workshop = service.library, service.workshop
    async with library.open(key):
        pass  # it is there, and a file
    plan = plan_of(())  # as slices read it who say nothing else

    async def index(job: OpenJob) -> None:
        await when_a_worker_is_free(partial(index_rows, job, workshop, library, key, plan))

    return index


def _malformed(field: str | None, reason: str) -> ProblemError:
    named = {} if field is None else {"field": field}
    return ProblemError(Problem(problems.MALFORMED_REQUEST, f"No job is begun: {reason}.", named))

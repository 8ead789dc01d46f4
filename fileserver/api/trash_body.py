"""What a client says it does not want any more: JSON in, files and folders out."""

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import Place, folder_to_read, key_to_read

MAX_KEYS = 1000
"""At once: their claims are one transaction, which keeps other writers waiting for a second."""
MAX_BODY = 2 << 20
"""Bytes: as many keys, of 300 letters that are escaped."""


class Unwanted(BaseModel):
    """The keys of files, and of folders with `/` at their ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_KEYS)]


def parse_unwanted(body: bytes) -> tuple[Place, ...]:
    """The files and folders that a JSON document names.

    >>> parse_unwanted(b'{"keys": ["a.txt", "b/"]}')
    ('a.txt', 'b/')

    Raises ProblemError, and InvalidKey for what can be the name of none.
    """
    try:
        content = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise _malformed("This is no JSON in UTF-8.") from error
    try:
        wanted = Unwanted.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _malformed("Say `keys`, an array of texts.", field="".join(map(str, first["loc"][:1]))) from error
    return tuple(_place(text) for text in wanted.keys)


def _place(text: str) -> Place:
    return folder_to_read(text) if text.endswith("/") else key_to_read(text)


def _malformed(detail: str, **members: str) -> ProblemError:
    return ProblemError(Problem(problems.MALFORMED_REQUEST, detail, members))

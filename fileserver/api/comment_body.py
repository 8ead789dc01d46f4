"""What a client says in a comment: JSON in, plain text and a position out.

Text is text and nothing else: in NFC, without control characters and what turns the direction of writing, so that it
can stand beside what others say. The limit on marks is that of Unicode's stream-safe text (UAX #15 s.13): it keeps a
text from being drawn over its neighbours, and from being normalised in a time that grows with the square of its length.
"""

import json
import unicodedata
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from storage import NewComment

MAX_TEXT = 4000  # characters
MAX_AUTHOR = 80  # characters
_MAX_MARKS = 30  # in a row
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_TEXT = frozenset({"Cc", "Cs"})
_LARGEST_OFFSET = 2**63 - 1  # that a database holds


def parse_comment(body: bytes) -> NewComment:
    """The comment that a JSON document holds.

    >>> parse_comment(b'{"text": " Listen! ", "media_time": 61}')
    NewComment(text='Listen!', author='', media_time_s=61.0, byte_offset=None)

    Raises ProblemError, whose `field` is the member at fault.
    """
    try:
        content = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed("", "this is no JSON object in UTF-8 whose members have names of their own") from error
    try:
        said = Said.model_validate(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise malformed("".join(map(str, first["loc"])), _reason(first)) from error
    return NewComment(said.text, said.author or "", said.media_time, said.byte_offset)


def malformed(field: str, reason: str) -> ProblemError:
    """The refusal of a comment for what one of its members says, or for the whole where none is named."""
    named = {"field": field} if field else {}
    return ProblemError(Problem(problems.MALFORMED_REQUEST, f"The comment is not taken: {reason}.", named))


def _reason(fault: ErrorDetails) -> str:
    """What pydantic found, in words for the person who wrote the comment."""
    match fault["type"]:
        case "extra_forbidden":
            return "a comment has no such member"
        case "missing":
            return f"`{fault['loc'][-1]}` is missing"
    reason = fault["msg"].removeprefix("Value error, ")
    return reason[:1].lower() + reason[1:]


def _plain(text: str, *, kept: str) -> str:
    """A text in NFC without what surrounds it. Raises ValueError unless it is plain but for the characters `kept`."""
    text = text.replace("\r\n", "\n")
    marks = 0
    for character in text:
        if unicodedata.category(character) in _NO_TEXT and character not in kept:
            raise ValueError("a control character, or half of a surrogate pair, is no part of it")
        if character in _BIDI_CONTROLS:
            raise ValueError("a character that changes the direction of writing is no part of it")
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MAX_MARKS:
            raise ValueError(f"more than {_MAX_MARKS} marks stand on one character")
    return unicodedata.normalize("NFC", text).strip()


def _words(text: str) -> str:
    words = _plain(text, kept="\n\t")
    if not words:
        raise ValueError("it says nothing")
    if len(words) > MAX_TEXT:
        raise ValueError(f"it has more than {MAX_TEXT} characters")
    return words


def _name(text: str) -> str:
    name = _plain(text, kept="")
    if len(name) > MAX_AUTHOR:
        raise ValueError(f"it has more than {MAX_AUTHOR} characters")
    return name


class Said(BaseModel):
    """What a comment says, who says it, and what of the file it is about: a moment (seconds), a byte, or all."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="NewComment")

    text: Annotated[str, AfterValidator(_words), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TEXT})]
    author: Annotated[str, AfterValidator(_name), Field(json_schema_extra={"maxLength": MAX_AUTHOR})] | None = None
    media_time: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    byte_offset: Annotated[int, Field(ge=0, le=_LARGEST_OFFSET)] | None = None

    @field_validator("byte_offset")
    @classmethod
    def _only(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("media_time") is not None:
            raise ValueError("a comment is about a moment or about a byte, not both")
        return value


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. JSON leaves open what a second member of one name means: here it is refused."""
    once = dict(members)
    if len(once) < len(members):
        raise ValueError("a member stands twice in one object")
    return once


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")

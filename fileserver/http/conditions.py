"""Preconditions (RFC 9110 s.13): whether a request is to be carried out at all."""

from dataclasses import dataclass
from enum import Enum, auto

from fileserver.http.dates import parse_http_date
from fileserver.http.entity_tags import EntityTag, parse_entity_tags, strong_match, weak_match
from fileserver.http.fields import Fields

STRONG_AFTER_S = 2
"""A modification time of whole seconds tells versions apart only once the second is surely over (s.8.8.2.2)."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells the current representation from others; `modified_s` is Unix time."""

    etag: EntityTag
    modified_s: int


class Verdict(Enum):
    """What the preconditions say."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    PRECONDITION_FAILED = auto()


def evaluate(method: str, fields: Fields, current: Validators | None, *, now_s: int) -> Verdict:
    """The verdict on a request, in the order of s.13.2.2; `current` is None where nothing exists."""
    is_read = method in {"GET", "HEAD"}
    if (if_match := fields.joined("if-match")) is not None:
        if not _matches(if_match, current, is_strong=True):
            return Verdict.PRECONDITION_FAILED
    elif _was_modified_since(fields, "if-unmodified-since", current, now_s) is True:
        return Verdict.PRECONDITION_FAILED
    if (if_none_match := fields.joined("if-none-match")) is not None:
        if _matches(if_none_match, current, is_strong=False):
            return Verdict.NOT_MODIFIED if is_read else Verdict.PRECONDITION_FAILED
    elif is_read and _was_modified_since(fields, "if-modified-since", current, now_s) is False:
        return Verdict.NOT_MODIFIED
    return Verdict.PROCEED


def if_range_holds(fields: Fields, current: Validators, *, now_s: int) -> bool:
    """Whether a Range may be honoured (s.13.1.5); True where there is no If-Range."""
    lines = fields.lines("if-range")
    if not lines:
        return True
    if len(lines) > 1:
        return False
    if lines[0].startswith(('"', "W/")):
        tags = parse_entity_tags(lines[0])
        return len(tags) == 1 and strong_match(tags[0], current.etag)
    is_strong = now_s - current.modified_s >= STRONG_AFTER_S
    return is_strong and parse_http_date(lines[0], now_s=now_s) == current.modified_s


def _matches(text: str, current: Validators | None, *, is_strong: bool) -> bool:
    if current is None:
        return False
    if text == "*":
        return True
    match = strong_match if is_strong else weak_match
    return any(match(tag, current.etag) for tag in parse_entity_tags(text))


def _was_modified_since(fields: Fields, name: str, current: Validators | None, now_s: int) -> bool | None:
    """None where the field is to be ignored: absent, repeated, no valid date, nothing exists (s.13.1.3, s.13.1.4)."""
    text = fields.only(name)
    date = None if text is None else parse_http_date(text, now_s=now_s)
    return None if date is None or current is None else current.modified_s > date

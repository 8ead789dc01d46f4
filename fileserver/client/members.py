"""JSON objects that a server sends, whose members may be missing or of any kind."""

import json
from collections.abc import Mapping
from typing import TypeAlias

from fileserver.client.errors import Failed

Members: TypeAlias = Mapping[str, object]


def members_of(text: str | bytes) -> Members:
    """The members of a JSON object. Raises Failed where it is none.

    >>> members_of('{"state": "done"}')
    {'state': 'done'}
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Failed("the server sends what is no JSON") from error
    if not isinstance(value, dict):
        raise Failed("the server sends JSON that is no object")
    return value


def text_of(members: Members, name: str) -> str | None:
    """A member that is text.

    >>> text_of({"state": 7}, "state"), text_of({"state": "done"}, "state")
    (None, 'done')
    """
    value = members.get(name)
    return value if isinstance(value, str) else None


def number_of(members: Members, name: str) -> float | None:
    """A member that is a number.

    >>> number_of({"rate": True}, "rate"), number_of({"rate": 2.5}, "rate")
    (None, 2.5)
    """
    value = members.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def inner(members: Members, name: str) -> Members:
    """A member that is an object; an empty one where it is none.

    >>> inner({"fault": None}, "fault"), inner({"fault": {"code": "x"}}, "fault")
    ({}, {'code': 'x'})
    """
    value = members.get(name)
    return value if isinstance(value, dict) else {}

"""Server-sent events as bytes (WHATWG HTML, section 9.2).

A reader ends a line at CR, LF or CRLF, and an event at an empty line; it goes on reading after what it does not know.
"""

import re

MEDIA_TYPE = "text/event-stream"
_LINE_END = re.compile(r"\r\n|\r|\n")


def event(content: str, *, kind: str | None = None, last_id: str | None = None) -> bytes:
    """An event with this content; without a kind readers take it for a `message`.

    `last_id` is what a reader sends as Last-Event-ID when it comes back. Raises ValueError where kind or id have more
    than one line, or the id a NUL, which readers ignore (s.9.2.6).

    >>> event("one\\r\\ntwo", kind="created", last_id="7")
    b'event: created\\nid: 7\\ndata: one\\ndata: two\\n\\n'
    """
    head = "" if kind is None else f"event: {_one_line(kind)}\n"
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(content))
    return f"{head}{_id_line(last_id)}{lines}\n".encode()


def comment(text: str = "") -> bytes:
    """What readers pass over, and proxies count as a sign of life.

    >>> comment()
    b':\\n\\n'
    """
    return ("".join(f":{line}\n" for line in _LINE_END.split(text)) + "\n").encode()


def preamble(*, retry_ms: int, last_id: str | None) -> bytes:
    """How long to wait before coming back, and where the stream begins: an id alone is kept and makes no event.

    So a reader that is cut off before its first event comes back to where it was (s.9.2.6, dispatch, steps 1 and 2).

    >>> preamble(retry_ms=2000, last_id="7")
    b'retry: 2000\\nid: 7\\n\\n'
    """
    return f"retry: {retry_ms}\n{_id_line(last_id)}\n".encode()


def position(last_id: str) -> bytes:
    """A sign of life that moves the reader's place on: nothing that it asked for was before.

    >>> position("9")
    b'id: 9\\n\\n'
    """
    return f"{_id_line(last_id)}\n".encode()


def _id_line(last_id: str | None) -> str:
    if last_id is None:
        return ""
    if "\0" in last_id:
        raise ValueError("an id may not hold a NUL")
    return f"id: {_one_line(last_id)}\n"


def _one_line(text: str) -> str:
    if _LINE_END.search(text):
        raise ValueError("a field has one line")
    return text

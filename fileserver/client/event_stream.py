"""Server-sent events as a reader sees them (WHATWG HTML, section 9.2).

They were chosen over lines of JSON because the place to go on from is a part of the framing: whatever the events are
about, `id` is what Last-Event-ID says next time, and an event that was cut off before its empty line never was.
"""

import re
from dataclasses import dataclass

from fileserver.client.errors import Failed

MEDIA_TYPE = "text/event-stream"

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_MOST_KEPT = 8 << 20  # bytes of an event that has not ended yet; ours have some hundreds


@dataclass(frozen=True, slots=True)
class Event:
    """One event; its kind is `message` where none is told. `last_id` is what a reader shows to go on after it."""

    kind: str
    content: str
    last_id: str


class EventReader:
    """Events of one answer, whose bytes are fed to it as they come."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.begins_after: str | None = None
        """The id after which the answer's events come, once that is known: the reader's own, or the one told first."""
        self.retry_s = 0.0
        """How long the server asks to be left alone before the next answer."""
        self._rest = b""
        self._ends_in_cr = False
        self._is_begun = False
        self._id = last_id
        self._kind = ""
        self._lines: list[str] = []
        self._kept = 0

    def feed(self, block: bytes) -> list[Event]:
        r"""The events that these bytes complete. Raises Failed where one has no end.

        >>> EventReader().feed(b"event: created\nid: 7\ndata: one\r\ndata:two\r\rdata: cut off")
        [Event(kind='created', content='one\ntwo', last_id='7')]
        """
        if self._ends_in_cr:
            block = block.removeprefix(b"\n")  # the line was over with the CR: whoever waits for more may wait long
        self._ends_in_cr = block.endswith(b"\r")
        *lines, self._rest = _LINE_END.split(self._rest + block)
        events = [event for line in lines if (event := self._taken(line)) is not None]
        if self._kept + len(self._rest) > _MOST_KEPT:
            raise Failed("the server sends an event that does not end")
        return events

    def _taken(self, line: bytes) -> Event | None:
        """The event that a line ends, where it ends one."""
        if not self._is_begun:
            self._is_begun = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatched()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        self._note(name, value.removeprefix(" "))
        self._kept += len(line)
        return None

    def _note(self, name: str, value: str) -> None:
        match name:
            case "data":
                self._lines.append(value)
            case "event":
                self._kind = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdecimal():
                self.retry_s = int(value[:9]) / 1000

    def _dispatched(self) -> Event | None:
        """The event that has ended; None where it had no data, which moves the place to go on from all the same."""
        kind, lines = self._kind or "message", self._lines
        if self.begins_after is None:
            self.begins_after = self.last_id if lines else self._id
        self.last_id = self._id
        self._kind, self._lines, self._kept = "", [], 0
        return Event(kind, "\n".join(lines), self.last_id) if lines else None

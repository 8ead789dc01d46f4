"""multipart/form-data (RFC 7578) as it arrives: bytes in, events out, nothing kept.

python-multipart does the parsing; here are its bounds, the names of the parts, and the certainty that a form is whole.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

MAX_BOUNDARY_LENGTH = 70  # RFC 2046 s.5.1.1
_BROWSER_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}  # WHATWG HTML s.4.10.21.8


class MalformedForm(ValueError):
    """The body is no whole multipart form."""


class FormTooComplex(ValueError):
    """A bound of `FormLimits` is crossed."""


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What one form may have; sizes in bytes."""

    parts: int = 1000
    headers: int = 16  # of each part
    header_size: int = 8192  # all headers of a part together
    padding_size: int = 4096  # before the first boundary, and again after the closing one (RFC 2046 s.5.1.1)


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins.

    `filename` is None for a field that is no file, empty where a person chose no file, and otherwise the last segment
    of the path that was sent: RFC 7578 s.4.2 wants none used, and browsers send one for each file of a folder.
    """

    name: str
    filename: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class PartBytes:
    """Bytes of the part that has begun."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is whole."""


FormEvent: TypeAlias = PartBegin | PartBytes | PartEnd


class FormParser:
    r"""Feed it the body; raises MalformedForm and FormTooComplex, and is of no use afterwards.

    >>> form = FormParser("multipart/form-data; boundary=B", FormLimits())
    >>> form.feed(b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1')
    [PartBegin(name='a', filename=None, content_type=None), PartBytes(payload=b'1')]
    >>> form.feed(b"\r\n--B--"), form.finish()
    ([PartEnd()], None)
    """

    def __init__(self, content_type: str, limits: FormLimits) -> None:
        boundary = _boundary(content_type)
        self._limits = limits
        self._delimiter = b"\r\n--" + boundary
        self._has_begun = False
        self._preamble = bytearray(b"\r\n")  # the first boundary may be the first line
        self._recent = b"\r\n"
        self._events: list[FormEvent] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._parts = 0
        self._header_size = 0
        self._epilogue_size = 0
        self._is_whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=limits.headers,
            max_header_size=limits.header_size,
        )

    def feed(self, chunk: bytes) -> list[FormEvent]:
        """The events that a piece of the body brings; bytes of one part that arrive together are one event."""
        if not self._has_begun:
            chunk = self._after_preamble(chunk)
        if self._is_whole:
            self._pass_over(len(chunk))
            return []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            if str(error).startswith("Maximum header"):  # the parser has one class for all that is wrong
                raise FormTooComplex("a part has too many or too long headers") from error
            raise MalformedForm("the body breaks the grammar of a form") from error
        self._look_for_epilogue(chunk)
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """Say that the body has ended. Raises MalformedForm unless the closing boundary was seen."""
        if not self._is_whole:
            raise MalformedForm("the closing boundary is missing")

    def _after_preamble(self, chunk: bytes) -> bytes:
        """The body from its first boundary on; empty until that has come."""
        end = self._limits.padding_size + len(self._delimiter)
        self._preamble += chunk
        size = self._preamble.find(self._delimiter, 0, end)
        if size >= 0:
            self._has_begun = True
            rest, self._preamble = bytes(self._preamble[size + 2 :]), bytearray()
            return rest
        if len(self._preamble) >= end:
            raise FormTooComplex("too much before the first boundary")
        return b""

    def _look_for_epilogue(self, chunk: bytes) -> None:
        """Count what follows the closing boundary in its own chunk: the parser does not say where it stood."""
        closing = self._delimiter + b"--"
        if self._is_whole:
            recent = self._recent + chunk
            self._pass_over(len(recent) - recent.index(closing) - len(closing))
        else:
            self._recent = (self._recent + chunk[-len(closing) :])[-len(closing) :]

    def _pass_over(self, size: int) -> None:
        self._epilogue_size += size
        if self._epilogue_size > self._limits.padding_size:
            raise FormTooComplex("too much after the closing boundary")

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise FormTooComplex("too many parts")
        self._headers = {}
        self._header_size = 0

    def _on_header_field(self, block: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._name += block[start:end]

    def _on_header_value(self, block: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._value += block[start:end]

    def _count_header(self, size: int) -> None:
        self._header_size += size
        if self._header_size > self._limits.header_size:
            raise FormTooComplex("a part has too many or too long headers")

    def _on_header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value).strip(b" \t")
        self._name.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        kind, parameters = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data" or b"name" not in parameters:
            raise MalformedForm("a part has no name")
        filename = parameters.get(b"filename")
        content_type = self._headers.get(b"content-type")
        self._events.append(
            PartBegin(
                name=_text(parameters[b"name"]),
                filename=None if filename is None else re.split(r"[/\\]", _text(filename))[-1],
                content_type=None if content_type is None else content_type.decode("latin-1"),
            )
        )

    def _on_part_data(self, block: bytes, start: int, end: int) -> None:
        payload = block[start:end]
        if self._events and isinstance(last := self._events[-1], PartBytes):
            payload = last.payload + payload
            self._events.pop()
        self._events.append(PartBytes(payload))

    def _on_part_end(self) -> None:
        self._events.append(PartEnd())

    def _on_end(self) -> None:
        self._is_whole = True


def _boundary(content_type: str) -> bytes:
    kind, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise MalformedForm("the body is no multipart/form-data")
    if not 1 <= len(boundary) <= MAX_BOUNDARY_LENGTH:
        raise MalformedForm(f"the boundary must have 1 to {MAX_BOUNDARY_LENGTH} characters")
    return boundary


def _text(value: bytes) -> str:
    return re.sub("%(?:22|0[AD])", lambda match: _BROWSER_ESCAPES[match[0]], value.decode("utf-8", "replace"))

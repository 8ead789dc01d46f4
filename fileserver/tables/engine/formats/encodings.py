"""Text of a table in the encodings of the world: what has no place in one is a fault and never a question mark."""

import codecs
from contextlib import suppress
from encodings.aliases import aliases

from fileserver.tables.engine.formats.contract import Sink
from fileserver.tables.faults import PlanFault, TableFault
from fileserver.tables.plan import Output

BYTE_ORDER_MARK = "\ufeff"

_UNFIT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
# they are text encodings to Python, but no file is written in them
_MARKED = frozenset({"utf-8-sig", "utf-16", "utf-32"})  # Python's encoders of these write the mark themselves
_CONTEXT = 20  # characters shown on each side of the one that has no place


def load_encodings() -> None:
    """Loads Python's encodings, all of them: a sandboxed process finds their modules no more. It takes 40 ms."""
    for name in set(aliases.values()):
        with suppress(LookupError):  # some are those of another system
            codecs.lookup(name)


class Encoded:
    """A sink of UTF-8, whole characters in each piece, before another sink that takes the output's encoding."""

    def __init__(self, output: Output, sink: Sink) -> None:
        self._sink = sink
        self._codec = _codec(output.encoding)
        is_utf8 = self._codec.name in ("utf-8", "utf-8-sig")
        self._encoder = None if is_utf8 else self._codec.incrementalencoder("strict")
        if self._codec.name == "utf-8-sig" or (output.bom and self._codec.name not in _MARKED):
            self._mark()

    def __call__(self, text: bytes) -> None:
        """Writes text, given in UTF-8."""
        if self._encoder is None:
            self._sink(text)
        else:
            self._sink(self._encoded(self._encoder, text.decode()))

    def close(self) -> None:
        """Writes what ends the text; encodings with states have such."""
        if self._encoder is not None:
            self._sink(self._encoder.encode("", final=True))

    def _mark(self) -> None:
        try:
            self(BYTE_ORDER_MARK.encode())
        except TableFault as fault:
            reason = f"{self._codec.name} has no byte order mark: only encodings of Unicode do"
            raise PlanFault(reason, "output.bom") from fault

    def _encoded(self, encoder: codecs.IncrementalEncoder, text: str) -> bytes:
        try:
            return encoder.encode(text)
        except UnicodeEncodeError as error:
            raise TableFault(_lack(error, self._codec.name)) from error


def _codec(encoding: str) -> codecs.CodecInfo:
    try:
        codec = codecs.lookup(encoding)
        line_end = codec.encode("\n")[0]
        is_text = isinstance(line_end, bytes) and codec.decode(line_end)[0] == "\n"
    except (LookupError, ValueError, TypeError):
        is_text = False
    if not is_text or codec.name in _UNFIT:
        raise PlanFault(f"no text can be written in {encoding!r}", "output.encoding")
    return codec


def _lack(error: UnicodeEncodeError, encoding: str) -> str:
    lacking = error.object[error.start]
    context = error.object[max(0, error.start - _CONTEXT) : error.start + _CONTEXT]
    return f"{encoding} has no {lacking!r} (U+{ord(lacking):04X}), which stands in {context!r}"

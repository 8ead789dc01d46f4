"""How a table is written, as far as its first bytes tell: its encoding, its delimiter, its line ends.

What a plan says is believed; the rest is looked for in the first `SAMPLE_SIZE` bytes and reported.
"""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from fileserver.tables.engine.grammar import Grammar, Marks
from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import Input

SAMPLE_SIZE = 64 * 1024  # bytes
SNIFFED_DELIMITERS = (b",", b";", b"\t", b"|")
"""What `auto` chooses from; among equals the earlier wins, and text without any is one column of a comma table."""

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EXCEL_HINT = re.compile(rb"sep=([!-~\t ])\r?\n", re.IGNORECASE)
_RECORDS = 100  # that are looked at
_NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the records are written. `hint_size` bytes of text at the head, after which they begin, say so themselves."""

    marks: Marks
    line_end: str
    hint_size: int = 0


def encoding_of(sample: bytes, asked: str) -> str:
    """The encoding of a table that begins so, by the name that Python has for it.

    >>> encoding_of("Köln".encode("utf-16"), "auto")
    'utf-16'

    Raises PlanFault for one that nobody knows or that is no encoding of text.
    """
    known = asked if asked == "auto" else _known(asked)
    if known not in ("auto", "utf-16"):
        return known
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if known == "utf-16" or (len(sample) >= 4 and sample[:4].count(0) == 2):
        return "utf-16-be" if sample[:1] == b"\0" else "utf-16-le"
    return "utf-8" if _is_utf8(sample) else ("latin-1" if _NOT_IN_CP1252.search(sample) else "cp1252")


def dialect_of(text: bytes, told: Input) -> Dialect:
    """The dialect of a table whose text, as UTF-8, begins so."""
    quote = (told.quote or "").encode()
    escape = told.escape.encode() if told.escape is not None else quote
    comment = (told.comment or "").encode()
    hint = _EXCEL_HINT.match(text)
    if told.delimiter != "auto":
        delimiter = told.delimiter.encode()
    elif hint is not None and hint[1] not in (quote, escape, comment):
        delimiter = hint[1]
    else:
        delimiter = _sniffed(text, quote, escape, comment)
    if delimiter in (quote, escape) or delimiter == comment:
        raise PlanFault("a delimiter, quote, escape and comment have to differ", "input.delimiter")
    line_end = "\r\n" if _first_end(text) == b"\r\n" else "\n"
    hint_size = hint.end() if hint is not None and hint[1] == delimiter else 0
    return Dialect(Marks(delimiter, quote, escape), line_end, hint_size)


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # not all codecs are of text
    except (LookupError, ValueError, TypeError):
        raise PlanFault(f"no encoding has the name {name}", "input.encoding") from None
    return found.name


def _is_utf8(sample: bytes) -> bool:
    """Whether a sample, perhaps cut within a character, is UTF-8, be it with damaged places.

    A single letter that is right tells: other encodings hardly ever look like it, and who guesses one of these over a
    table with a damaged row changes all the others without a word.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(sample, final=len(sample) < SAMPLE_SIZE)
    wrong = text.count("\ufffd") - sample.count("\ufffd".encode())
    right = len(sample) - len(text.encode("ascii", "ignore")) - wrong
    return wrong == 0 or right > 0


def _sniffed(text: bytes, quote: bytes, escape: bytes, comment: bytes) -> bytes:
    """The delimiter that cuts the first records into the most often equal numbers of cells, and these the largest."""
    free = [each for each in SNIFFED_DELIMITERS if each not in (quote, escape, comment)]
    return max(free, key=lambda each: _agreement(text, Marks(each, quote, escape), comment))


def _agreement(text: bytes, marks: Marks, comment: bytes) -> tuple[float, int]:
    grammar, widths, position = Grammar(marks), Counter[int](), 0
    for _ in range(_RECORDS):
        end = grammar.end_of_record(text, position, is_final=False)
        if end is None:
            break
        is_comment = bool(comment) and text.startswith(comment, position)
        if isinstance(end, int) and end > position and not is_comment:
            widths[len(grammar.cells_of(text[position:end]))] += 1
        position = text.find(b"\n", position if is_comment or isinstance(end, str) else end) + 1
        if not position:
            break
    if not widths:  # a single line without its end
        widths[text.count(marks.delimiter) + 1] += 1
    width, count = widths.most_common(1)[0]
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


def _first_end(text: bytes) -> bytes:
    end = text.find(b"\n")
    return text[max(end - 1, 0) : end + 1]

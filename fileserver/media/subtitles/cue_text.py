"""The text of a subtitle: SubRip's and ASS's markup in, WebVTT's cue text out (W3C WebVTT s.4.2.2), safe to show.

What says how a text is to look or where it is to stand is kept as far as WebVTT has words for it. All else of the
markup is dropped and its text kept; what is no markup that we know is text, and escaped.
"""

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MAX_TEXT = 10_000
"""Characters of one cue: a page of a book is shorter, and a text that holds more is no subtitle."""

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z]+\d?)(?P<classes>[.][^<>\s]*)?(?P<more>[\s/=][^<>]*)?>|\{\\(?P<codes>[^{}]*)\}"
)
_TIMES = re.compile(r"<[\d:.]+>")  # of karaoke (s.4.2.2, timestamps): the text between them is all that is shown
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CODE = re.compile(r"\{(?P<codes>[^{}]*)\}|\\(?P<break>[Nnh])")
_SWITCH = re.compile(r"\\([biu])(\d*)(?![A-Za-z])")  # \bord and \iclip are others
_PLACE = re.compile(r"\\(an?)(\d{1,2})(?!\d)")
_DRAWING = re.compile(r"\\p(\d+)")
_ESCAPED = str.maketrans(
    {**{chr(code): None for code in (*range(9), *range(11, 32), 127)}, "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_NAME = re.compile(r"[^\w ,.'()-]+")

_KEPT: Mapping[str, str] = {
    **{name: name for name in ("b", "i", "u", "ruby", "rt", "c", "v")},
    "em": "i",
    "ins": "u",
    "strong": "b",
}
_DROPPED = frozenset(
    "a|big|blink|center|code|del|div|font|h1|h2|h3|lang|p|pre|s|small|span|strike|sub|sup|tt".split("|")  # noqa: SIM905
)
_PLACES: Mapping[int, str] = {
    1: "position:0% align:start",
    2: "",
    3: "position:100% align:end",
    4: "line:50% position:0% align:start",
    5: "line:50%",
    6: "line:50% position:100% align:end",
    7: "line:0 position:0% align:start",
    8: "line:0",
    9: "line:0 position:100% align:end",
}
"""Cue settings by the keys of a numeric keypad, as ASS has them (`\\an8`: above, in the middle)."""

OLD_PLACES: Mapping[int, int] = {5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
"""What SSA's numbers (`\\a6`) are on a keypad, where they differ."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a style of ASS has its texts: the tags around them, and where on a keypad they stand."""

    tags: tuple[str, ...] = ()
    place: int = 2


@dataclass(frozen=True, slots=True)
class CueText:
    """Text in the syntax of WebVTT, and the settings of its cue."""

    text: str
    settings: str = ""


def plain_cue_text(text: str, *, has_entities: bool = False) -> CueText:
    """The text of a cue of SubRip or WebVTT; in the latter characters may be written as HTML has them.

    >>> plain_cue_text("{\\\\an8}<font color=red>Tom</font> & <i>Jerry")
    CueText(text='Tom &amp; <i>Jerry</i>', settings='line:0')
    >>> plain_cue_text("<script>alert(1)</script> --> 3 < 4").text
    '&lt;script&gt;alert(1)&lt;/script&gt; --&gt; 3 &lt; 4'
    """
    written = _Written()
    text = _TIMES.sub("", _BREAK.sub("\n", text[:MAX_TEXT]))
    for between, token in _tokens(_TAG, text):
        written.add(html.unescape(between) if has_entities else between)
        if token is None:
            break
        if token["codes"] is not None:
            written.obey("\\" + token["codes"])
        else:
            _take_tag(written, token)
    return written.finished()


def ass_cue_text(text: str, look: Look = Look()) -> CueText:
    """The text of an event of ASS in a style.

    >>> ass_cue_text(r"{\\i1\\pos(3,4)}Two\\Nlines{\\i0}{a remark}")
    CueText(text='<i>Two\\nlines</i>', settings='')
    >>> ass_cue_text(r"{\\p1}m 0 0 l 100 0 100 100{\\p0}", Look(("b",), 8))
    CueText(text='', settings='line:0')
    """
    written = _Written(place=look.place)
    for tag in look.tags:
        written.open(tag)
    for between, token in _tokens(_CODE, text[:MAX_TEXT]):
        written.add(between)
        if token is None:
            break
        if token["codes"] is not None:
            written.obey(token["codes"])
        else:
            written.add("\u00a0" if token["break"] == "h" else "\n")
    return written.finished()


def styled_cue_text(runs: Iterable[tuple[str, Collection[str]]]) -> CueText:
    """Text in pieces, each with the tags that it stands in.

    >>> styled_cue_text([("a < ", ()), ("b", ("b", "i")), ("c", ("b",))]).text
    'a &lt; <b><i>b</i>c</b>'
    """
    written = _Written()
    before: Collection[str] = ()
    for text, tags in runs:
        for tag in before:
            if tag not in tags:
                written.close(tag)
        for tag in tags:
            written.open(tag)
        written.add(text)
        before = tags
    return written.finished()


def escaped(text: str) -> str:
    """Text that means itself in a cue.

    >>> escaped("a\\0 -->")
    'a --&gt;'
    """
    return text.translate(_ESCAPED)


def _tokens(grammar: re.Pattern[str], text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """The texts between the tokens of a grammar, each with the token after it."""
    position = 0
    for token in grammar.finditer(text):
        yield text[position : token.start()], token
        position = token.end()
    yield text[position:], None


def _take_tag(written: "_Written", token: re.Match[str]) -> None:
    name = token["name"].lower()
    tag = _KEPT.get(name)
    if tag is None:
        if name not in _DROPPED:
            written.add(token[0])
    elif token["end"]:
        written.close(tag)
    else:
        classes = re.sub(r"[^\w.-]", "", token["classes"] or "") if tag == "c" else ""
        speaker = _NAME.sub("", token["more"] or "").strip() if tag == "v" else ""
        written.open(tag, classes + (f" {speaker}" if speaker else ""))


@dataclass(slots=True)
class _Written:
    """Cue text as it is being written: every tag is closed, in order, and no line is empty."""

    place: int = 2
    _parts: list[str] = field(default_factory=list)
    _opened: list[tuple[str, str]] = field(default_factory=list)
    _is_drawing: bool = False

    def add(self, text: str) -> None:
        if not self._is_drawing:
            self._parts.append(escaped(text))

    def open(self, tag: str, more: str = "") -> None:
        if all(tag != opened for opened, _ in self._opened):  # no tag means more when it stands twice
            self._opened.append((tag, more))
            self._parts.append(f"<{tag}{more}>")

    def close(self, tag: str) -> None:
        """Close a tag; those that were opened within it are opened again behind it."""
        names = [opened for opened, _ in self._opened]
        if tag not in names:
            return
        first = names.index(tag)
        within = self._opened[first + 1 :]
        self._parts += [f"</{name}>" for name in reversed(names[first:])]
        del self._opened[first:]
        for name, more in within:
            self.open(name, more)

    def obey(self, codes: str) -> None:
        """Do what the codes of ASS between two braces say."""
        for kind, number in _PLACE.findall(codes):
            place = int(number)
            self.place = place if kind == "an" else OLD_PLACES.get(place, place)
        for tag, degree in _SWITCH.findall(codes):
            if degree in ("", "0"):
                self.close(tag)
            else:
                self.open(tag)
        for scale in _DRAWING.findall(codes):
            self._is_drawing = int(scale) > 0

    def finished(self) -> CueText:
        """All of it. A text of nothing but tags is none."""
        for name, _ in tuple(reversed(self._opened)):
            self.close(name)
        lines = [line.strip() for line in "".join(self._parts).split("\n")]
        text = "\n".join(line for line in lines if line)
        is_empty = not re.sub(r"<[^<>]*>|\s", "", text)
        return CueText("" if is_empty else text, _PLACES.get(self.place, ""))

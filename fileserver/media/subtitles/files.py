"""Files of subtitles as people have them: SubRip, WebVTT, (Advanced) SubStation Alpha, in the encodings of the world.

They are read as leniently as players read them: what is no cue is passed over.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from fileserver.media.subtitles.cue_text import OLD_PLACES, Look, ass_cue_text, plain_cue_text
from fileserver.media.subtitles.webvtt import MAX_CUES, Cue, made_whole

MAX_SIZE = 4 << 20
"""Bytes of a file: a film's are 100 kB, typeset ones a few megabytes; this much is read in about a second."""
SUFFIXES = ("ass", "srt", "ssa", "vtt")

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before that of UTF-16, which begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODE_PAGES: Mapping[str, str] = {
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl"), "cp1250"),
    **dict.fromkeys(("be", "bg", "mk", "ru", "sr", "uk"), "cp1251"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    **dict.fromkeys(("ar", "fa", "ur"), "cp1256"),
    "el": "cp1253",
    "he": "cp1255",
    "ja": "cp932",
    "ko": "cp949",
    "th": "cp874",
    "tr": "cp1254",
    "vi": "cp1258",
    "zh": "gb18030",
}
"""What Windows wrote texts in before they were UTF-8, by their language; cp1252 where it is none of these."""

_TIMES = re.compile(
    r"[ \t]*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,:](\d{1,3})[ \t]*-{2,3}>[ \t]*"
    r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,:](\d{1,3})(?P<settings>[^\n]*)"
)
_ASS_TIME = re.compile(r"\s*(\d{1,4}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})\s*")
_SETTING = re.compile(r"(?:line|position|size|align|vertical):[a-z0-9.,%-]{1,40}")
_BEGINNING = 1024  # bytes or characters by which a kind is told
_DIGITS = 3
_MAX_FIELDS = 64
_MAX_LINES = 500  # of one cue
_MAX_SETTINGS = 8
_MAX_STYLES = 1000
_EVENT_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")


def decode_text(content: bytes, language: str = "") -> str:
    """The text of a file, whose lines end in `\\n`.

    A byte order mark decides. Without one it is UTF-16 if every other byte of its beginning is mostly zero, UTF-8 if it
    can be, else what Windows used for the language before; cp1252 where that is not known.

    >>> decode_text("Größe\\r\\n".encode("cp1252")), decode_text("Да".encode("cp1251"), "ru")
    ('Größe\\n', 'Да')
    """
    encoding = _marked(content) or _doubled(content)
    if encoding is None:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            code_page = _CODE_PAGES.get(language.partition("-")[0].lower(), "cp1252")
            text = content.decode(code_page, "replace")
    else:
        text = content.decode(encoding, "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse_subtitles(content: bytes, suffix: str, language: str = "") -> tuple[Cue, ...]:
    """The cues of a file by the end of its name, one of SUFFIXES; by its content where that says another kind."""
    text = decode_text(content[:MAX_SIZE], language)
    return made_whole(islice(_parser(text, suffix)(text), MAX_CUES))


def parse_srt(text: str) -> Iterator[Cue]:
    """The cues of SubRip, whose texts may hold empty lines.

    >>> list(parse_srt("1\\n00:00:01,500 --> 00:00:02,000\\n<i>Hi</i>\\n\\n2\\n0:00:03.000 --> 0:00:04.000\\nyou\\n"))
    [Cue(start_ms=1500, end_ms=2000, text='<i>Hi</i>', settings=''), \
Cue(start_ms=3000, end_ms=4000, text='you', settings='')]
    """
    blocks = _blocks(text)
    block = next(blocks, None)
    while block is not None:
        times, lines = block
        block = next(blocks, None)
        if block is not None and lines and lines[-1].strip().isdecimal():
            lines.pop()  # the number of the next cue
        found = plain_cue_text("\n".join(lines))
        yield Cue(*_span(times), found.text, found.settings)


def parse_vtt(text: str) -> Iterator[Cue]:
    """The cues of WebVTT with their settings; regions, styles and remarks are left out.

    >>> list(parse_vtt("WEBVTT\\n\\nSTYLE\\n::cue {}\\n\\nid\\n00:01.000 --> 00:02.000 line:0 x:1\\n&lt;<v Ann>Hi\\n"))
    [Cue(start_ms=1000, end_ms=2000, text='&lt;<v Ann>Hi</v>', settings='line:0')]
    """
    for times, lines in _blocks(text):
        end = lines.index("") if "" in lines else len(lines)
        found = plain_cue_text("\n".join(lines[:end]), has_entities=True)
        yield Cue(*_span(times), found.text, kept_settings(times["settings"]) or found.settings)


def kept_settings(text: str) -> str:
    """Those settings of a cue of WebVTT that say where it stands.

    >>> kept_settings("region:fred line:10%,end onclick:x align:start")
    'line:10%,end align:start'
    """
    return " ".join(word for word in text.split()[:_MAX_SETTINGS] if _SETTING.fullmatch(word))


def parse_ass(text: str) -> Iterator[Cue]:
    """The cues of (Advanced) SubStation Alpha, as its styles have them."""
    styles = ass_styles(text)
    names: tuple[str, ...] = _EVENT_FIELDS
    for kind, rest in _ass_lines(text, "events"):
        if kind == "format":
            names = _fields_of(rest)
        elif kind == "dialogue":
            event = dict(zip(names, rest.split(",", len(names) - 1), strict=False))
            start, end = (_ASS_TIME.fullmatch(event.get(name, "")) for name in ("start", "end"))
            if start and end:
                found = ass_cue_text(event.get("text", ""), look_of(styles, event.get("style", "")))
                yield Cue(_ass_ms(start), _ass_ms(end), found.text, found.settings)


def ass_styles(text: str) -> Mapping[str, Look]:
    """The styles by their names, of a file of ASS or of the header that a track has in another container.

    >>> ass_styles("[V4+ Styles]\\nFormat: Name, Italic, Alignment\\nStyle: Top,-1,8\\n[Events]")
    {'Top': Look(tags=('i',), place=8)}
    """
    styles: dict[str, Look] = {}
    names: tuple[str, ...] = ()
    for section in ("v4+ styles", "v4 styles"):
        for kind, rest in _ass_lines(text, section):
            if kind == "format":
                names = _fields_of(rest)
            elif kind == "style" and len(styles) < _MAX_STYLES:
                style = dict(zip(names, (field.strip() for field in rest.split(",", len(names))), strict=False))
                styles[style.get("name", "").lstrip("*")] = _look(style, is_old=section == "v4 styles")
    return styles


def look_of(styles: Mapping[str, Look], name: str) -> Look:
    """A style by the name that an event calls it by; that of the file where it has no such."""
    name = name.strip().lstrip("*")
    return styles.get(name) or styles.get("Default") or Look()


def _look(style: Mapping[str, str], *, is_old: bool) -> Look:
    tags = tuple(name[0] for name in ("bold", "italic", "underline") if style.get(name, "0") not in ("", "0"))
    alignment = style.get("alignment", "")
    number = int(alignment) if alignment.isdecimal() and len(alignment) < _DIGITS else 2
    return Look(tags, OLD_PLACES.get(number, number) if is_old else number)


def _parser(text: str, suffix: str) -> Callable[[str], Iterator[Cue]]:
    beginning = text[:_BEGINNING].lstrip()
    if beginning.startswith("WEBVTT"):
        return parse_vtt
    if beginning.lower().startswith("[script info]") or (suffix in ("ass", "ssa") and "-->" not in beginning):
        return parse_ass
    return parse_srt


def _blocks(text: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    """The lines with times, each with those between it and the next one."""
    times: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        found = _TIMES.match(line) if "->" in line else None
        if found is not None:
            if times is not None:
                yield times, lines
            times, lines = found, []
        elif len(lines) < _MAX_LINES:
            lines.append(line.rstrip())
    if times is not None:
        yield times, lines


def _span(times: re.Match[str]) -> tuple[int, int]:
    numbers = [int(number or 0) for number in times.groups()[:8]]
    start_ms, end_ms = (_ms(*numbers[first : first + 4]) for first in (0, 4))
    return start_ms, end_ms


def _ms(hours: int, minutes: int, seconds: int, milliseconds: int) -> int:
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds


def _ass_ms(time: re.Match[str]) -> int:
    hours, minutes, seconds, fraction = time.groups()
    return _ms(int(hours), int(minutes), int(seconds), int(fraction.ljust(3, "0")))


def _ass_lines(text: str, section: str) -> Iterator[tuple[str, str]]:
    """The lines of a section: what stands before the colon, in lower case, and what stands behind it."""
    is_within = False
    for line in text.split("\n"):
        if line.startswith("["):
            is_within = line.strip().lower() == f"[{section}]"
        elif is_within:
            kind, colon, rest = line.partition(":")
            if colon:
                yield kind.strip().lower(), rest.lstrip()


def _fields_of(rest: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in rest.split(",")[:_MAX_FIELDS])


def _marked(content: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)


def _doubled(content: bytes) -> str | None:
    """UTF-16 by the zeros of its plain letters."""
    beginning = content[:_BEGINNING]
    first, second = beginning[::2].count(0), beginning[1::2].count(0)
    if max(first, second) * 4 < len(beginning):  # less than half of a half
        return None
    return "utf-16-be" if first > second else "utf-16-le"

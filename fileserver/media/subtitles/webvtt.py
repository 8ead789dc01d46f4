"""WebVTT as it is written (W3C WebVTT s.4): whole tracks, the segments of HLS (RFC 8216 s.3.5), chapters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fileserver.media.subtitles.cue_text import escaped

MEDIA_TYPE = "text/vtt"
MAX_CUES = 100_000
"""Of one track: a film has some two thousand, typeset signs some ten thousand."""
MAX_TIME_MS = 100 * 3600 * 1000
"""What comes later than a hundred hours is a mistake."""

_TICKS_IN_MS = 90
_MAPPED = "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0"
# a player of fMP4 sets this against the segments' own decode times, which begin at 0 with the file


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """A text that is shown from one moment to another, in milliseconds from the beginning of the film."""

    start_ms: int
    end_ms: int
    text: str
    settings: str = ""

    def written(self) -> str:
        """The cue as a file has it.

        >>> Cue(1500, 3_600_000, "Hello", "line:0").written()
        '00:00:01.500 --> 01:00:00.000 line:0\\nHello\\n'
        """
        settings = f" {self.settings}" if self.settings else ""
        return f"{time_text(self.start_ms)} --> {time_text(self.end_ms)}{settings}\n{self.text}\n"


def time_text(time_ms: int) -> str:
    """A moment (milliseconds) as WebVTT writes it.

    >>> time_text(360_061_005)
    '100:01:01.005'
    """
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def track_text(cues: Iterable[Cue]) -> str:
    """All cues of a track, as a file.

    >>> track_text([Cue(0, 1000, "Hello")])
    'WEBVTT\\n\\n00:00:00.000 --> 00:00:01.000\\nHello\\n'
    """
    return "\n".join(["WEBVTT\n", *(cue.written() for cue in cues)])


def segment_text(cues: Iterable[Cue], start: int, end: int) -> str:
    """The cues that are to be seen between two cuts, in ticks of 1/90000 s, as a segment of HLS.

    They keep their whole times, also where a cut goes through them: a player that comes across a cue twice shows it
    once, and one that begins in its midst shows what is left of it.

    >>> print(segment_text([Cue(0, 7000, "both"), Cue(0, 6000, "before")], 540_000, 1_080_000), end="")
    WEBVTT
    X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0
    <BLANKLINE>
    00:00:00.000 --> 00:00:07.000
    both
    """
    seen = (cue for cue in cues if cue.start_ms * _TICKS_IN_MS < end and cue.end_ms * _TICKS_IN_MS > start)
    return "\n".join([f"WEBVTT\n{_MAPPED}\n", *(cue.written() for cue in seen)])


def chapters_text(chapters: Iterable[Mapping[str, object]]) -> str:
    """The chapters of a description as a track of its own: `start` and `end` in seconds, and a `title` or none.

    >>> print(chapters_text([{"start": 0.0, "end": 61.5, "title": "A <b>"}, {"start": 61.5, "end": 62}]), end="")
    WEBVTT
    <BLANKLINE>
    00:00:00.000 --> 00:01:01.500
    A &lt;b&gt;
    <BLANKLINE>
    00:01:01.500 --> 00:01:02.000
    Chapter 2
    """
    return track_text(_chapter(number, chapter) for number, chapter in enumerate(chapters, 1))


def _chapter(number: int, chapter: Mapping[str, object]) -> Cue:
    title = " ".join(str(chapter.get("title") or "").split())
    start_ms, end_ms = _milliseconds(chapter["start"]), _milliseconds(chapter["end"])
    return Cue(start_ms, max(start_ms, end_ms), escaped(title) or f"Chapter {number}")


def _milliseconds(time_s: object) -> int:
    return round(min(max(0.0, float(str(time_s)) * 1000), float(MAX_TIME_MS)))  # in this order NaN becomes 0


def made_whole(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Cues in the order of their times, each once, without those that say nothing or are never seen.

    Typesetters lay the same text upon itself: shown in lines, it would stand there many times.

    >>> made_whole([Cue(5, 6, "b"), Cue(1, 2, "a"), Cue(5, 6, "b"), Cue(3, 4, ""), Cue(9, 9, "c"), Cue(-2, 1, "z")])
    (Cue(start_ms=0, end_ms=1, text='z', settings=''), Cue(start_ms=1, end_ms=2, text='a', settings=''), \
Cue(start_ms=5, end_ms=6, text='b', settings=''))
    """
    seen = {_clipped(cue) for cue in cues if cue.text and cue.end_ms > max(cue.start_ms, 0)}
    return tuple(sorted(cue for cue in seen if cue.end_ms > cue.start_ms))[:MAX_CUES]


def _clipped(cue: Cue) -> Cue:
    start_ms = min(max(cue.start_ms, 0), MAX_TIME_MS)
    return Cue(start_ms, min(cue.end_ms, MAX_TIME_MS), cue.text, cue.settings)

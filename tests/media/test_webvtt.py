"""WebVTT as it is written: cues, segments of HLS, chapters."""

from itertools import pairwise

import pytest

from fileserver.media.subtitles.cue_text import MAX_TEXT, CueText, Look, ass_cue_text, plain_cue_text, styled_cue_text
from fileserver.media.subtitles.webvtt import (
    MAX_CUES,
    MAX_TIME_MS,
    Cue,
    chapters_text,
    made_whole,
    segment_text,
    track_text,
)

SECOND = 90_000  # ticks


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("<b>b</b> <i>i</i> <u>u</u>", "<b>b</b> <i>i</i> <u>u</u>"),
        ("<B>b</B><EM>e</EM><strong>s</strong>", "<b>b</b><i>e</i><b>s</b>"),
        ('<font color="#ff0000" size=5>red</font>', "red"),
        ("<font face='a>b'>x</font>", "b'&gt;x"),
        ("one<br>two<BR/>three<br />four", "one\ntwo\nthree\nfour"),
        ("<i>never closed", "<i>never closed</i>"),
        ("closed</i> only", "closed only"),
        ("<b><i>crossed</b></i>", "<b><i>crossed</i></b><i></i>"),
        ("<i><i>twice</i></i>", "<i>twice</i>"),
        ("3 < 4 > 2 & <3", "3 &lt; 4 &gt; 2 &amp; &lt;3"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<b onclick=alert(1)>x</b>", "<b>x</b>"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("a --> b", "a --&gt; b"),
        ("&lt;b&gt; &nbsp;", "&amp;lt;b&amp;gt; &amp;nbsp;"),
        ("first\n\n  \nsecond  ", "first\nsecond"),
        ("a\0b\x1bc\x7fd", "abcd"),
        ("{\\i1}slanted{\\i0} {\\b1}{\\fs20}bold", "<i>slanted</i> <b>bold</b>"),
        ("{\\bord2\\iclip(1)\\be1}none of these", "none of these"),
        ("{no code}", "{no code}"),
        ("<i> </i>", ""),
        ("<00:00:01.500>sung<00:00:02.000> words", "sung words"),
        ("<c.yellow.bg_blue>c</c><v.loud Ann 'O Hara>v", "<c.yellow.bg_blue>c</c><v Ann 'O Hara>v</v>"),
        ("<v A&<b>x", "&lt;v A&amp;<b>x</b>"),
        ("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>"),
        ("שלום", "שלום"),
    ],
)
def test_the_markup_of_subrip(text: str, shown: str) -> None:
    assert plain_cue_text(text).text == shown


def test_webvtt_writes_characters_as_html_does() -> None:
    assert plain_cue_text("&lt;b&gt; &amp; &nbsp;&eacute;", has_entities=True).text == "&lt;b&gt; &amp; \u00a0é"
    assert plain_cue_text("&lt;script&gt;<i>x</i>", has_entities=True).text == "&lt;script&gt;<i>x</i>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"Two\Nlines\nand\ha space", "Two\nlines\nand\u00a0a space"),
        (r"{\i1}a{\i0}b{\b700}c{\b0}", "<i>a</i>b<b>c</b>"),
        (r"{\pos(10,20)\fad(1,2)\c&HFF&}there{comment}", "there"),
        (r"{\k20}ka{\k30}ra{\kf10}o", "karao"),
        (r"{\p1}m 0 0 l 1 1{\p0}words", "words"),
        (r"{\p1}m 0 0 l 1 1", ""),
        ("<i>a tag</i> & more", "&lt;i&gt;a tag&lt;/i&gt; &amp; more"),
        (r"{\u1}a{\i1}b{\u0}c", "<u>a<i>b</i></u><i>c</i>"),
    ],
)
def test_the_markup_of_ass(text: str, shown: str) -> None:
    assert ass_cue_text(text).text == shown


@pytest.mark.parametrize(
    ("codes", "settings"),
    [
        ("", ""),
        (r"{\an2}", ""),
        (r"{\an8}", "line:0"),
        (r"{\a6}", "line:0"),
        (r"{\a10}", "line:50%"),
        (r"{\an5}", "line:50%"),
        (r"{\an1}", "position:0% align:start"),
        (r"{\an9}", "line:0 position:100% align:end"),
        (r"{\an0}", ""),
        (r"{\an99}", ""),
        (r"{\an8}{\an2}", ""),
    ],
)
def test_where_a_text_stands(codes: str, settings: str) -> None:
    assert ass_cue_text(f"{codes}text").settings == plain_cue_text(f"{codes}text").settings == settings


def test_a_style_of_ass_can_be_undone_within() -> None:
    assert ass_cue_text(r"a{\i0}b", Look(("i",), 8)) == CueText("<i>a</i>b", "line:0")


def test_runs_of_styles() -> None:
    runs: list[tuple[str, tuple[str, ...]]] = [("a", ("b", "i")), ("<", ("i",)), ("c", ())]
    assert styled_cue_text(runs).text == "<b><i>a</i></b><i>&lt;</i>c"


@pytest.mark.parametrize("text", ["<" * 50_000, "<b>" * 50_000, "{\\" * 50_000, "<v " * 50_000, "x" * 50_000])
def test_a_text_is_read_up_to_a_bound(text: str) -> None:
    assert len(plain_cue_text(text).text) <= 4 * MAX_TEXT + 10
    assert len(ass_cue_text(text).text) <= 4 * MAX_TEXT + 10


def test_a_track_is_in_the_order_of_its_times_and_says_nothing_twice() -> None:
    cues = made_whole([Cue(2000, 3000, "b"), Cue(0, 1000, "a", "line:0"), Cue(2000, 3000, "b"), Cue(5, 5, "never")])
    assert track_text(cues) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000 line:0\na\n\n00:00:02.000 --> 00:00:03.000\nb\n"
    )
    assert track_text([]) == "WEBVTT\n"


def test_times_before_the_film_and_beyond_all_films_are_cut_off() -> None:
    cues = made_whole([Cue(-5000, -1000, "before"), Cue(-1000, 1000, "into"), Cue(0, 10**15, "for ever")])
    assert cues == (Cue(0, 1000, "into"), Cue(0, MAX_TIME_MS, "for ever"))


def test_a_track_has_so_many_cues_at_most() -> None:
    assert len(made_whole(Cue(each, each + 1, "x") for each in range(MAX_CUES + 10))) == MAX_CUES


def test_a_cue_is_in_every_segment_that_it_is_seen_in_and_in_no_other() -> None:
    cues = [Cue(5000, 13_000, "long"), Cue(4000, 6000, "ends with the cut"), Cue(12_000, 12_500, "begins with it")]
    cuts = (0, 6 * SECOND, 12 * SECOND, 18 * SECOND)
    segments = [segment_text(cues, start, end) for start, end in pairwise(cuts)]
    assert [[cue.text in segment for cue in cues] for segment in segments] == [
        [True, True, False],
        [True, False, False],
        [True, False, True],
    ]
    assert all("00:00:05.000 --> 00:00:13.000" in segment for segment in segments)


def test_a_segment_is_mapped_to_the_time_of_the_film_even_when_it_is_empty() -> None:
    assert segment_text([], 0, 6 * SECOND) == "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n"


def test_cuts_lie_between_milliseconds() -> None:
    cue = [Cue(0, 6001, "x")]
    assert "x" in segment_text(cue, 6001 * 90 - 1, 12 * SECOND)
    assert "x\n" not in segment_text(cue, 6001 * 90, 12 * SECOND)


def test_chapters() -> None:
    chapters: list[dict[str, object]] = [
        {"start": 0, "end": 61.5, "title": "One & <i>"},
        {"start": 61.5, "end": 50, "title": " a\nb\n\n --> "},
        {"start": 3600.0, "end": 3601.0, "title": None},
    ]
    assert chapters_text(chapters).split("\n\n")[1:] == [
        "00:00:00.000 --> 00:01:01.500\nOne &amp; &lt;i&gt;",
        "00:01:01.500 --> 00:01:01.500\na b --&gt;",
        "01:00:00.000 --> 01:00:01.000\nChapter 3\n",
    ]
    assert chapters_text([]) == "WEBVTT\n"


@pytest.mark.parametrize("time_s", [float("inf"), 1e300, -5.0, float("nan")])
def test_chapters_at_impossible_times_are_moved(time_s: float) -> None:
    assert chapters_text([{"start": time_s, "end": time_s}]).count("Chapter 1") == 1

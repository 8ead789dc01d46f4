"""Subtitle files of every kind, encoding and state, and what their names say."""

import random
from pathlib import Path

import pytest

from fileserver.media.subtitles.files import MAX_SIZE, decode_text, kept_settings, parse_subtitles
from fileserver.media.subtitles.sidecars import sidecar_name, words_of
from fileserver.media.subtitles.webvtt import Cue, track_text
from tests.support.media_files import ffmpeg

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> & me

2
00:00:03,000 --> 00:00:04,000 X1:1 X2:2
{\\an8}above
"""
VTT = """WEBVTT - a title

STYLE
::cue { color: red }

REGION
id:fred

NOTE
00:00 is no cue

one
00:01.000 --> 00:02.500 align:start line:10% region:fred
<v Ann>Hi &lt;there&gt;

01:00:03.000 --> 01:00:04.000
second

lost
"""
ASS = """[Script Info]
Title: x

[V4+ Styles]
Format: Name, Fontname, Fontsize, Bold, Italic, Alignment
Style: Default,Arial,20,0,0,2
Style: Sign,Arial,20,-1,0,8

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,a remark
Dialogue: 0,0:00:03.00,0:00:04.00,Sign,,0,0,0,,a sign
Dialogue: 1,0:00:03.00,0:00:04.00,Sign,,0,0,0,,a sign
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,0,0,0,,Hello, {\\i1}you{\\i0}\\Ntoo
Dialogue: 0,nonsense,0:00:02.50,Default,Ann,0,0,0,,never
Dialogue: 0,0:00:05.00
"""
SSA = ASS.replace("[V4+ Styles]", "[V4 Styles]").replace("-1,0,8", "-1,0,6")
HELLO = Cue(1000, 2500, "<i>Hello</i> &amp; me")
ABOVE = Cue(3000, 4000, "above", "line:0")


def test_subrip() -> None:
    assert parse_subtitles(SRT.encode(), "srt") == (HELLO, ABOVE)


@pytest.mark.parametrize(
    "text",
    [
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r"),
        "\ufeff" + SRT,
        SRT.replace(",", "."),
        SRT.replace("00:00:0", "0:0:"),
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace("\n\n2\n", "\n2\n"),
        SRT.replace("\n\n2\n", "\n\n\n\n 2 \n"),
        SRT.replace(" --> ", "-->"),
        SRT.rstrip(),
        "\n\nrubbish\n\n" + SRT,
    ],
)
def test_subrip_as_people_write_it(text: str) -> None:
    assert parse_subtitles(text.encode(), "srt") == (HELLO, ABOVE)


def test_a_text_of_subrip_may_hold_empty_lines_and_numbers() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nin\n\n1984\n\n2\n00:00:03,000 --> 00:00:04,000\nit ended\n"
    assert [cue.text for cue in parse_subtitles(text.encode(), "srt")] == ["in\n1984", "it ended"]


def test_webvtt() -> None:
    assert parse_subtitles(VTT.encode(), "vtt") == (
        Cue(1000, 2500, "<v Ann>Hi &lt;there&gt;</v>", "align:start line:10%"),
        Cue(3_603_000, 3_604_000, "second"),
    )


@pytest.mark.parametrize(("text", "suffix"), [(ASS, "ass"), (SSA, "ssa"), (ASS.replace("\n", "\r\n"), "ass")])
def test_ass(text: str, suffix: str) -> None:
    assert parse_subtitles(text.encode(), suffix) == (
        Cue(1000, 2500, "Hello, <i>you</i>\ntoo"),
        Cue(3000, 4000, "<b>a sign</b>", "line:0"),
    )


@pytest.mark.parametrize(("text", "suffix"), [(VTT, "srt"), (ASS, "srt"), (SRT, "ass"), (SRT, "vtt")])
def test_the_content_says_what_kind_it_is(text: str, suffix: str) -> None:
    assert len(parse_subtitles(text.encode(), suffix)) == 2


def test_what_is_written_is_read_back_as_it_was() -> None:
    cues = parse_subtitles(SRT.encode() + b"\n5\n00:00:09,000 --> 00:00:10,000\n<v a & --> b\n", "srt")
    assert parse_subtitles(track_text(cues).encode(), "vtt") == cues


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(encoding: str) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nGrüße – „schön“\n"
    assert parse_subtitles(text.encode(encoding), "srt")[0].text == "Grüße – „schön“"


@pytest.mark.parametrize(
    ("language", "encoding", "text"),
    [
        ("ru", "cp1251", "Привет"),
        ("pl", "cp1250", "Zażółć"),
        ("ja", "cp932", "こんにちは"),
        ("zh-Hans", "gb18030", "你好"),
        ("EL", "cp1253", "Γεια"),
        ("", "cp1252", "déjà"),
    ],
)
def test_the_language_says_what_a_text_was_written_in_before_utf_8(language: str, encoding: str, text: str) -> None:
    assert decode_text(text.encode(encoding), language) == text
    assert decode_text(text.encode(), language) == text


def test_bytes_that_have_no_meaning_are_no_fault() -> None:
    assert decode_text(b"\x81\x8d") == "\ufffd\ufffd"
    assert decode_text(b"\xff\xfea\0\0\xd8") == "a\ufffd"


@pytest.mark.parametrize(("times", "length"), [("0:00:01.5", 500), ("0:00:01.50", 500), ("0:00:01.500", 500)])
def test_ass_counts_fractions_of_seconds(times: str, length: int) -> None:
    event = f"[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,{times},Default,,0,0,0,,x\n"
    assert parse_subtitles(event.encode(), "ass") == (Cue(1000, 1000 + length, "x"),)


def test_settings_that_could_do_more_than_place_a_text_are_dropped() -> None:
    assert kept_settings("vertical:rl size:50% snap:x foo line:-1 position:10%,line-left") == (
        "vertical:rl size:50% line:-1 position:10%,line-left"
    )
    assert kept_settings("align:" + "a" * 1000) == ""


HOSTILE = (
    b"",
    b"\0" * 1000,
    b"-->" * 1000,
    b"WEBVTT",
    b"[script info]",
    b"99:99:99,999 --> 9999:99:99,999\nx",
    b"00:00:02,000 --> 00:00:01,000\nbackwards",
    "١:٢:٣,٤ --> ١:٢:٣,٥\nx".encode(),
    b"[script info]\n[events]\nFormat:\nDialogue: ,,,,\n",
    b"[script info]\n[v4+ styles]\nFormat: Alignment, Name\nStyle: \xb2,Default\nStyle: 99999999999999999999,x\n",
)


@pytest.mark.parametrize("content", HOSTILE)
@pytest.mark.parametrize("suffix", ["ass", "srt", "vtt"])
def test_what_is_no_subtitle_file_has_no_cues_and_does_no_harm(content: bytes, suffix: str) -> None:
    assert all(cue.end_ms > cue.start_ms >= 0 for cue in parse_subtitles(content, suffix))


@pytest.mark.parametrize("seed", range(300))
def test_a_mutated_file_gives_a_whole_track(seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(chance.choice((SRT, VTT, ASS)).encode())
    for _ in range(chance.randrange(1, 20)):
        place = chance.randrange(len(content))
        content[place : place + chance.randrange(4)] = chance.choice((b"", b"<", b"\n", b"{\\", b"\xff", b"-->", b"9"))
    cues = parse_subtitles(bytes(content), chance.choice(("srt", "vtt", "ass")))
    assert "\n\n" not in "".join(cue.text for cue in cues)
    assert len(parse_subtitles(track_text(cues).encode(), "vtt")) == len(cues)


def test_a_file_is_read_up_to_a_bound() -> None:
    cue = b"00:00:01,000 --> 00:00:02,000\nx\n\n"
    last = b"00:00:03,000 --> 00:00:04,000\nlast\n"
    assert parse_subtitles(cue + b" " * MAX_SIZE + b"\n\n" + last, "srt") == (Cue(1000, 2000, "x"),)


PLAIN_VTT = "WEBVTT\n\n" + VTT[VTT.index("one") : VTT.index("lost")]  # FFmpeg 5.1 gives up at the rest


@pytest.mark.parametrize(("suffix", "text"), [("srt", SRT), ("vtt", PLAIN_VTT), ("ass", ASS)])
def test_the_times_are_those_that_ffmpeg_reads(tmp_path: Path, suffix: str, text: str) -> None:
    (tmp_path / f"in.{suffix}").write_text(text)
    ffmpeg("-i", tmp_path / f"in.{suffix}", tmp_path / "out.vtt")
    theirs = parse_subtitles((tmp_path / "out.vtt").read_bytes(), "vtt")
    ours = parse_subtitles(text.encode(), suffix)
    assert len(ours) == 2
    assert [(cue.start_ms, cue.end_ms) for cue in ours] == [(cue.start_ms, cue.end_ms) for cue in theirs]


@pytest.mark.parametrize(
    ("name", "language", "label", "flags"),
    [
        ("film.srt", "", "", ""),
        ("film.en.srt", "en", "en", ""),
        ("film.eng.srt", "en", "en", ""),
        ("film.pt_BR.vtt", "pt-BR", "pt-BR", ""),
        ("film.zh-Hant.ass", "zh-Hant", "zh-Hant", ""),
        ("film.German.forced.srt", "de", "German, forced", "forced"),
        ("film.en.sdh.srt", "en", "en, SDH", ""),
        ("film.en.hi.srt", "en", "en, HI", ""),
        ("film.hi.srt", "hi", "hi", ""),
        ("film.default.en.SRT", "en", "en", "default"),
        ("film.Directors Cut.fr.ssa", "fr", "Directors Cut, fr", ""),
        ("film.und.srt", "", "", ""),
    ],
)
def test_what_a_name_says(name: str, language: str, label: str, flags: str) -> None:
    said = sidecar_name("film.mkv", name)
    assert said is not None
    assert (said.suffix, said.language, said.label) == (name.rpartition(".")[2].lower(), language, label)
    assert (said.is_forced, said.is_default) == (flags == "forced", flags == "default")


@pytest.mark.parametrize(
    "name", ["film.mkv", "film2.srt", "film 2.en.srt", "Film.srt", "film.txt", "film", "srt", "film."]
)
def test_what_belongs_to_no_film(name: str) -> None:
    assert sidecar_name("film.mkv", name) is None


@pytest.mark.parametrize(
    ("film", "name"), [("a.b.mkv", "a.b.en.srt"), ("no suffix", "no suffix.en.srt"), (".mkv", ".mkv.en.srt")]
)
def test_a_films_name_may_have_dots_or_none(film: str, name: str) -> None:
    said = sidecar_name(film, name)
    assert said is not None
    assert said.language == "en"


@pytest.mark.parametrize(("name", "label"), [("2_English.srt", "English"), ("English.srt", "English"), ("x.srt", "x")])
def test_names_in_a_folder_for_subtitles(name: str, label: str) -> None:
    said = words_of(name)
    assert said is not None
    assert said.label == label

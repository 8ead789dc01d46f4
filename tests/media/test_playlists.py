"""Playlists as RFC 8216 wants them, of indexes that a worker may have written with any words in them."""

import json
from typing import Any

import pytest

from fileserver.media.index import TICKS, BrokenIndex, Index, cuts_at, parse_index, with_tail, written
from fileserver.media.playlists import master_playlist, media_playlist

FILM: dict[str, Any] = {
    "id": "v0",
    "kind": "video",
    "how": "copy",
    "codec_name": "h264",
    "codecs": "avc1.64001f",
    "width": 1280,
    "height": 720,
    "frame_rate": 23.976,
    "bandwidth": 3_000_000,
    "peak": 4_000_000,
    "origin": 0,
    "end": 1_400_000,
    "seek": [[0, 0], [1, 100], [2, 200]],
}
SOUND: dict[str, Any] = {
    "id": "a1",
    "kind": "audio",
    "how": "transcode",
    "codecs": "mp4a.40.2",
    "language": "eng",
    "title": None,
    "channels": 6,
    "bandwidth": 384_000,
    "is_default": True,
    "origin": 0,
    "end": 1_400_000,
}
WORDS: dict[str, Any] = {
    "id": "s2",
    "kind": "subtitle",
    "language": "deu",
    "title": 'Fuer "alle"\n#EXT-X-ENDLIST',
    "is_forced": True,
    "is_default": False,
    "origin": 0,
    "end": 1_400_000,
}
INDEX = Index((0, 225_225, 900_900), 1_400_000, (FILM, SOUND, WORDS))


def test_a_master_playlist_offers_the_film_and_every_track() -> None:
    assert master_playlist(INDEX, "?v=x").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="eng",LANGUAGE="eng",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6",'
        'URI="a1/index.m3u8?v=x"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="Fuer \'alle\' #EXT-X-ENDLIST",LANGUAGE="deu",'
        'DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="s2/index.m3u8?v=x"',
        '#EXT-X-STREAM-INF:BANDWIDTH=4384000,AVERAGE-BANDWIDTH=3384000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=23.976,AUDIO="audio",SUBTITLES="subtitles"',
        "v0/index.m3u8?v=x",
    ]


def test_a_media_playlist_lists_every_segment() -> None:
    assert media_playlist(INDEX, FILM, "?v=x").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:8",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        '#EXT-X-MAP:URI="init.mp4?v=x"',
        "#EXTINF:2.502500,",
        "0.m4s?v=x",
        "#EXTINF:7.507500,",
        "1.m4s?v=x",
        "#EXTINF:5.545556,",
        "2.m4s?v=x",
        "#EXT-X-ENDLIST",
    ]


def test_subtitles_are_listed_as_text_without_an_init_segment() -> None:
    lines = media_playlist(INDEX, WORDS, "").splitlines()
    assert "0.vtt" in lines
    assert not any("EXT-X-MAP" in line for line in lines)


def test_lengths_come_to_the_tracks_own_however_many_there_are() -> None:
    cuts = tuple(number * 540_001 for number in range(10_000))
    track = {**FILM, "end": cuts[-1] + 540_001}
    lines = media_playlist(Index(cuts, track["end"], (track,)), track, "").splitlines()
    total = sum(float(line[8:-1]) for line in lines if line.startswith("#EXTINF:"))
    assert total == pytest.approx(track["end"] / TICKS, abs=1e-6)


def test_no_segment_is_longer_than_the_target_when_rounded() -> None:
    lines = media_playlist(Index((0, 6 * TICKS + 50_000), 12 * TICKS, (FILM,)), FILM, "").splitlines()
    target = int(next(line for line in lines if "TARGETDURATION" in line).rpartition(":")[2])
    assert max(round(float(line[8:-1])) for line in lines if line.startswith("#EXTINF:")) == target


@pytest.mark.parametrize(
    ("codec_name", "video", "is_independent"), [("h264", None, False), ("vp9", None, True), ("h264", "h264", True)]
)
def test_segments_are_called_independent_only_where_they_are(
    codec_name: str, video: str | None, *, is_independent: bool
) -> None:
    film = {**FILM, "codec_name": codec_name}
    index = Index(INDEX.cuts, INDEX.end, (film, SOUND))
    for playlist in (master_playlist(index, "", video=video), media_playlist(index, film, "", video=video)):
        assert ("#EXT-X-INDEPENDENT-SEGMENTS" in playlist) is is_independent


def test_a_film_that_cannot_be_copied_is_offered_only_where_it_is_transcoded() -> None:
    film = {**FILM, "how": "transcode", "codecs": None, "codec_name": "mpeg4"}
    index = Index(INDEX.cuts, INDEX.end, (film, SOUND))
    assert "v0" not in master_playlist(index, "")
    assert master_playlist(index, "").splitlines()[-1] == "a1/index.m3u8"
    offered = master_playlist(index, "?video=h264", video="h264")
    assert "avc1." in offered
    assert offered.splitlines()[-1] == "v0/index.m3u8?video=h264"


def test_sound_alone_in_two_languages_is_one_choice_with_two_renditions() -> None:
    other = {**SOUND, "id": "a2", "language": "fra", "is_default": False, "codecs": "fLaC"}
    lines = master_playlist(Index((0,), TICKS, (SOUND, other)), "").splitlines()
    assert sum("TYPE=AUDIO" in line for line in lines) == 2
    assert 'CODECS="mp4a.40.2,fLaC"' in lines[-2]
    assert lines[-1] == "a1/index.m3u8"


def test_two_tracks_of_one_title_get_two_names() -> None:
    tracks = ({**SOUND, "title": "Stereo"}, {**SOUND, "id": "a2", "title": "Stereo"})
    playlist = master_playlist(Index((0,), TICKS, (FILM, *tracks)), "")
    assert 'NAME="Stereo"' in playlist
    assert 'NAME="Stereo (2)"' in playlist
    assert playlist.count("DEFAULT=YES") == 1


@pytest.mark.parametrize("language", ["und", "", None, 'x",URI="evil"', "a" * 40])
def test_what_is_no_language_is_left_out(language: str | None) -> None:
    assert "LANGUAGE" not in master_playlist(Index((0,), TICKS, (FILM, {**SOUND, "language": language})), "")


def test_a_track_has_no_segments_behind_its_end() -> None:
    short = {**SOUND, "end": 225_225}
    assert INDEX.cuts_of(short) == (0,)
    assert INDEX.terms(short, 1) is None
    assert media_playlist(INDEX, short, "").count("#EXTINF") == 1


def test_a_segment_job_is_told_its_part_of_the_index() -> None:
    terms = INDEX.terms(FILM, 1)
    assert terms is not None
    assert (terms["n"], terms["start"], terms["end"], terms["seek"]) == (1, 225_225, 900_900, [[1, 100], [2, 200]])
    assert "seek" not in terms["track"]
    assert INDEX.terms(FILM, 3) is None
    assert INDEX.terms(FILM, -1) is None


def test_an_index_is_read_as_it_was_written() -> None:
    assert parse_index(written(INDEX)) == INDEX


def test_cuts_are_a_segments_length_apart_and_the_first_a_third_of_it() -> None:
    assert cuts_at(list(range(0, 30 * TICKS, TICKS))) == (0, 2, 8, 14, 20, 26)
    assert cuts_at([0, 100 * TICKS, 50 * TICKS, 101 * TICKS, 106 * TICKS]) == (0, 1, 4)


def test_sound_that_goes_on_behind_the_film_is_cut_by_the_clock() -> None:
    long = with_tail(Index((0, 225_225), 500_000, ()), 500_000 + 20 * TICKS)
    assert long.cuts == (0, 225_225, 500_000 + 6 * TICKS, 500_000 + 12 * TICKS)
    assert long.end == 500_000 + 20 * TICKS


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"cuts": []},
        {"cuts": [1, 2]},
        {"cuts": [0, 5, 5]},
        {"cuts": [0, 1.5]},
        {"cuts": [0, True]},
        {"cuts": [0, 1 << 60]},
        {"cuts": list(range(100_001))},
        {"end": 0},
        {"end": "1"},
        {"tracks": [FILM] * 101},
        {"tracks": [FILM, FILM]},
        {"tracks": [{**FILM, "id": "../v0"}]},
        {"tracks": [{**FILM, "id": "a0"}]},
        {"tracks": [{**FILM, "codecs": 'avc1",URI="x'}]},
        {"tracks": [{**FILM, "end": None}]},
        {"tracks": [{**SOUND, "language": 7}]},
        {"tracks": {"id": "v0"}},
    ],
)
def test_an_index_that_breaks_its_grammar_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BrokenIndex):
        parse_index(json.dumps({**json.loads(written(INDEX)), **change}).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"[" * 100_000, b"\xff", b"0" * (17 << 20)])
def test_what_is_no_index_is_refused(content: bytes) -> None:
    with pytest.raises(BrokenIndex):
        parse_index(content)

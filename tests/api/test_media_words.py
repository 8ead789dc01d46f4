"""Subtitles and chapters below `/media/{key}`, as real workers make them."""

import re
from pathlib import Path

import httpx
import pytest

from tests.support.media_files import CHAPTERS, CUES, made, shared_folder

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nbeside\n"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the films are made."""
    return shared_folder(tmp_path_factory.getbasetemp().parent)


@pytest.mark.parametrize("name", ["languages.mkv", "languages.mp4"])
async def test_what_is_written_in_a_film_is_answered_as_webvtt(
    reader: httpx.AsyncClient, root: Path, films: Path, name: str
) -> None:
    (root / "film").with_suffix(Path(name).suffix).hardlink_to(made(name, films))
    href = f"/media/film{Path(name).suffix}"
    described = (await reader.get(href)).json()
    tracks = [each for each in described["subtitles"] if each["source"] == "embedded"]
    assert len(tracks) == 2
    for track in tracks:
        answer = await reader.get(track["href"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/vtt; charset=utf-8")
        assert answer.text.startswith("WEBVTT\n")
        assert answer.text.count(" --> ") == len(CUES)
    assert "Good <i>morning</i>" in (await reader.get(tracks[0]["href"])).text
    assert "<b>ASS</b>\n" in (await reader.get(tracks[1]["href"])).text
    chapters = (await reader.get(f"{href}/chapters.vtt")).text
    assert [title for _, _, title in CHAPTERS if title in chapters] == [title for _, _, title in CHAPTERS]


async def test_segments_of_hls_hold_what_is_seen_in_them(reader: httpx.AsyncClient, root: Path, films: Path) -> None:
    (root / "film.mkv").hardlink_to(made("languages.mkv", films))
    master = (await reader.get("/media/film.mkv/hls/master.m3u8")).text
    assert "TYPE=SUBTITLES" in master
    playlist = (await reader.get("/media/film.mkv/hls/s3/index.m3u8")).text
    lengths = [float(length) for length in re.findall(r"#EXTINF:([\d.]+)", playlist)]
    assert len(lengths) > 2
    for number, length in enumerate(lengths):
        begin = sum(lengths[:number])
        answer = await reader.get(f"/media/film.mkv/hls/s3/{number}.vtt")
        assert (answer.status_code, "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0" in answer.text) == (200, True)
        for start, end, text in CUES:
            if not any(abs(cut - each) < _NEAR_S for cut in (begin, begin + length) for each in (start, end)):
                assert (text in answer.text) == (start < begin + length and end > begin)
    assert (await reader.get(f"/media/film.mkv/hls/s3/{len(lengths)}.vtt")).status_code == 404


_NEAR_S = 0.1  # an encoder's delay may have moved a text across a cut


@pytest.mark.parametrize("place", ["", "films/subtitles/"])
async def test_a_file_beside_a_film_is_found_and_answered(
    reader: httpx.AsyncClient, root: Path, films: Path, place: str
) -> None:
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "film.mkv").hardlink_to(made("h264-aac.mkv", films))
    (folder / "film.en.srt").write_bytes(SRT)
    (folder / "Subs").mkdir()
    (folder / "Subs" / "English.srt").write_bytes(SRT)
    described = (await reader.get(f"/media/{place}film.mkv")).json()
    assert [(each["source"], each["language"]) for each in described["subtitles"]] == [("sidecar", "en")] * 2
    for each in described["subtitles"]:
        answer = await reader.get(each["href"])
        assert (answer.status_code, "beside" in answer.text) == (200, True)
        assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert (await reader.get(f"/media/{place}film.mkv/subtitles/film.de.srt.vtt")).status_code == 404

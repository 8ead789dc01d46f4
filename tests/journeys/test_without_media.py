"""A server without what works on media: everything else works, and it says what is missing."""

import json
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.media_files import made, shared_folder
from tests.support.server import running_server

_ABSENT = 'import sys\nfor name in ("av", "PIL"):\n    sys.modules[name] = None\n'
"""What Python takes for a package that is not installed, run by it before anything else."""


def test_without_the_extra_files_play_as_they_are_and_it_is_told(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, absent = tmp_path / "root", tmp_path / "absent"
    root.mkdir()
    absent.mkdir()
    (absent / "sitecustomize.py").write_text(_ABSENT)
    film = made("h264-aac.mkv", shared_folder(tmp_path_factory.getbasetemp())).read_bytes()
    (root / "film.mkv").write_bytes(film)
    (root / "film.en.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    with running_server(root, prefix=("env", f"PYTHONPATH={absent}")) as server:
        with urlopen(f"{server.url}/media/film.mkv") as answer:
            told = json.load(answer)
        assert "[media]" in told["missing"]
        assert [way["method"] for way in told["playback"]] == ["direct"]
        with urlopen(f"{server.url}{told['playback'][0]['href']}") as answer:
            assert answer.read() == film
        for part in ("play.m3u", "faststart/film.mkv", "subtitles/film.en.srt.vtt", "progress"):
            assert _status(f"{server.url}/media/film.mkv/{part}") == 200
        for part in ("poster", "hls/master.m3u8", "chapters.vtt", "wav/film.wav"):
            assert _status(f"{server.url}/media/film.mkv/{part}") == 501


def _status(url: str) -> int:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

"""A person gives an address to a player: ffprobe sees what is on disk, mpv and VLC jump to the end and play on."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clients import run
from tests.support.media_files import DURATION_S, MATRIX, made, shared_folder
from tests.support.server import Server

FILES = (
    "index-at-end.mp4",
    "fragmented.mp4",
    "h264-ac3.mkv",
    "h264-aac.ts",
    "mpeg4-mp3.avi",
    "vp9-opus.webm",
    "song.flac",
    "song.mp3",
    "alac.m4a",
)
VIRTUAL = {
    "/media/{folder}/index-at-end.mp4/faststart/film.mp4": "index-at-end.mp4",
    "/media/{folder}/alac.m4a/wav/song.wav": "alac.m4a",
}
"""Virtual files, and what they are made of."""

START_S, PLAYED_S = 16, 2
_FOLDER = "programs"

Address = Callable[[str], str]


@pytest.fixture(scope="module")
def address(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Address:
    """The address of a file of the matrix, or of one that is made of it."""
    folder = server.root / _FOLDER
    folder.mkdir(exist_ok=True)
    shared = shared_folder(tmp_path_factory.getbasetemp())

    def of(name: str) -> str:
        shutil.copy(made(VIRTUAL.get(name, name), shared), folder)
        path = name.format(folder=_FOLDER) if name in VIRTUAL else f"/files/{_FOLDER}/{name}"
        return server.url + path

    return of


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder within reach of any user; those of pytest are its own user's alone."""
    with tempfile.TemporaryDirectory(prefix="players-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", FILES)
def test_ffprobe_sees_what_is_on_disk(server: Server, address: Address, name: str) -> None:
    url = address(name)
    assert _probed(url) == _probed(str(server.root / _FOLDER / name))


@pytest.mark.parametrize("name", VIRTUAL)
def test_ffprobe_sees_the_same_tracks_in_a_virtual_file(server: Server, address: Address, name: str) -> None:
    url = address(name)
    virtual, stored = _probed(url), _probed(str(server.root / _FOLDER / VIRTUAL[name]))
    assert len(virtual["streams"]) == len(stored["streams"])
    assert float(virtual["format"]["duration"]) == pytest.approx(float(stored["format"]["duration"]), abs=0.001)


@pytest.mark.parametrize("name", [*FILES, *VIRTUAL])
def test_mpv_jumps_and_plays_on(address: Address, tmp_path: Path, name: str) -> None:
    place, played = _mpv(address(name), tmp_path)
    assert START_S - 0.3 < place < START_S + PLAYED_S + 0.3
    assert played == pytest.approx(PLAYED_S, abs=0.1)


@pytest.mark.parametrize("name", [*(name for name in FILES if not name.endswith(".ts")), *VIRTUAL])
def test_vlc_jumps_and_plays_on(address: Address, open_folder: Path, name: str) -> None:
    played = _vlc(address(name), open_folder, is_film=MATRIX[VIRTUAL.get(name, name)].kind == "video")
    # A transport stream has no index: VLC begins it where it guesses.
    assert 5 < float(_probed(str(played))["format"]["duration"]) < DURATION_S - 5


def test_players_open_the_list_that_names_a_file(server: Server, address: Address, open_folder: Path) -> None:
    address("index-at-end.mp4")
    url = f"{server.url}/media/{_FOLDER}/index-at-end.mp4/play.m3u"
    assert _mpv(url, open_folder)[1] == pytest.approx(PLAYED_S, abs=0.1)
    assert float(_probed(str(_vlc(url, open_folder, is_film=True)))["format"]["duration"]) > 0


def _probed(source: str) -> dict[str, dict[str, str]]:
    """Format and streams, but for where the file is."""
    shown = "format=format_name,duration,size,nb_streams:format_tags:stream=codec_name,width,height,channels,duration"
    asked = run("ffprobe", "-v", "error", "-of", "json", "-show_entries", shown, source)
    assert asked.code == 0, asked.errors
    found: dict[str, dict[str, str]] = json.loads(asked.text)
    return found


_TELL_PLACE = """
mp.register_event("playback-restart", function() print("AT=" .. mp.get_property("time-pos")) end)
"""


def _mpv(url: str, folder: Path) -> tuple[float, float]:
    """Where mpv is soon after it began, and how much sound it plays (seconds): written into a file."""
    script, sound = folder / "place.lua", folder / "sound.wav"
    script.write_text(_TELL_PLACE)
    silent = ("--vo=null", "--untimed", "--ao=pcm", f"--ao-pcm-file={sound}", "--audio-display=no", "--ytdl=no")
    place = (f"--start={START_S}", f"--length={PLAYED_S}")
    done = run("mpv", "--no-config", *silent, *place, f"--script={script}", url)
    told = re.search(r"AT=([\d.]+)", done.text)
    assert done.code == 0, done
    assert told is not None, done
    return float(told[1]), float(_probed(str(sound))["format"]["duration"])


def _vlc(url: str, folder: Path, *, is_film: bool) -> Path:
    """What VLC plays from there on, written into a file instead: film as it is, sound decoded."""
    target = folder / ("played.ts" if is_film else "played.wav")
    out = f"std{{access=file,mux={target.suffix[1:]},dst={target}}}"
    chain = f"#{out}" if is_film else f"#transcode{{acodec=s16l}}:{out}"
    nobody: tuple[str, ...] = ()
    if os.geteuid() == 0:  # it refuses to run as root
        folder.chmod(0o777)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    done = run(
        "env",
        f"HOME={folder}",
        *nobody,
        "cvlc",
        "-I",
        "dummy",
        f"--start-time={START_S}",
        "--sout",
        chain,
        url,
        "vlc://quit",
    )
    assert target.exists(), done.errors
    return target

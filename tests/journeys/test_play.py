"""A person plays a film or a song: players learn its length, jump near the end, and fetch the tail and not the file."""

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.support.clients import Run, curl, run
from tests.support.media import DURATION_S, SAMPLE_NAMES, Sample
from tests.support.server import Server, wait_until

# Large enough that what lies in socket buffers when a player hangs up (some 4 MB) cannot be taken for the file. A FLAC
# file is searched by halves, a dozen requests and as many buffers: hence a share that leaves room for them.
_LARGE = ("index-at-end.mp4", "index-at-front.mp4", "film.webm", "sound.flac")
_TAIL = 0.75


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_player_learns_the_duration(server: Server, samples: dict[str, Sample], name: str) -> None:
    del samples
    asked = run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", _url(server, name))
    assert float(asked.text) == pytest.approx(DURATION_S, abs=0.5), asked.errors


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_jump_near_the_end_shows_what_the_file_holds_there(
    server: Server, samples: dict[str, Sample], name: str
) -> None:
    over_http = _decoded_near_the_end(samples[name], _url(server, name))
    from_disk = _decoded_near_the_end(samples[name], str(samples[name].path))
    assert over_http.output == from_disk.output, over_http.errors
    assert over_http.output.startswith(b"MD5=")


@pytest.mark.parametrize("name", _LARGE)
def test_a_jump_near_the_end_fetches_a_tail(server: Server, samples: dict[str, Sample], name: str) -> None:
    before = len(server.access_lines())
    _decoded_near_the_end(samples[name], _url(server, name))
    lines = wait_until(lambda: _finished(server, name, before))
    sent = sum(int(line["bytes_out"]) for line in lines)
    size = samples[name].path.stat().st_size
    assert 0 < sent < size * _TAIL, f"{sent} of {size} bytes in {len(lines)} answers"


@pytest.mark.parametrize("asked", ["0-0", "-1000", "1000-1999", "500000-"])
def test_a_range_is_what_the_file_holds_there(server: Server, samples: dict[str, Sample], asked: str) -> None:
    content = samples["variable.mp3"].path.read_bytes()
    first, last = asked.split("-")
    expected = content[int(first) : int(last) + 1 if last else None] if first else content[-int(last) :]
    fetched = curl("-f", "-r", asked, _url(server, "variable.mp3"))
    assert fetched.output == expected, fetched.errors


@dataclass(frozen=True, slots=True)
class _Played:
    """What a media element came to."""

    duration_s: float
    early_s: float
    """The time it had reached soon after the start."""
    late_s: float
    """The time it had reached some while after a jump to nine tenths."""
    error: str | None


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_browser_plays_and_jumps(server: Server, samples: dict[str, Sample], page: Page, name: str) -> None:
    _open_player(page, server)
    played = _Played(**page.evaluate(_PLAY, [samples[name].element, f"/files/{name}"]))
    assert played.error is None
    assert played.duration_s == pytest.approx(DURATION_S, abs=0.5)
    assert played.early_s > 0
    assert played.late_s > 0.9 * played.duration_s


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_a_browser_plays_a_file_opened_by_its_link(
    server: Server, samples: dict[str, Sample], page: Page, name: str
) -> None:
    del samples
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(_url(server, name), wait_until="commit")
    wait_until(lambda: [page.evaluate(_PLAY_OPENED), *complaints], lambda seen: seen[0] > 0.2 or len(seen) > 1)
    assert complaints == []


# A person presses play in the player that the browser makes of a media file; the time it has come to.
_PLAY_OPENED = """
() => {
  const element = document.querySelector('audio, video');
  if (element?.paused && element.readyState > 0) element.play().catch(() => {});
  return element?.currentTime ?? 0;
}
"""

# Plays a little, jumps to nine tenths, plays on a little more; resolves with what happened, never rejects.
_PLAY = """
async ([tag, source]) => {
  const element = document.createElement(tag);
  const outcome = {duration_s: 0, early_s: 0, late_s: 0, error: null};
  const failed = new Promise((_, reject) => {
    element.onerror = () => reject(new Error(`code ${element.error.code}: ${element.error.message}`));
    setTimeout(() => reject(new Error(`stuck at ${element.currentTime}, state ${element.readyState}`)), 20000);
  });
  const event = (name) => Promise.race([failed, new Promise((resolve) => {
    element.addEventListener(name, resolve, {once: true});
  })]);
  const passed = async (time) => { while (element.currentTime <= time) await event('timeupdate'); };
  try {
    element.muted = true;
    element.src = source;
    document.body.append(element);
    await event('loadedmetadata');
    outcome.duration_s = element.duration;
    await Promise.race([failed, element.play()]);
    await passed(0);
    outcome.early_s = element.currentTime;
    const goal = 0.9 * element.duration;
    const sought = event('seeked');
    element.currentTime = goal;
    await sought;
    await passed(goal);
    outcome.late_s = element.currentTime;
  } catch (error) {
    outcome.error = String(error);
  }
  element.remove();
  return outcome;
}
"""


def _open_player(page: Page, server: Server) -> None:
    """An empty page on the server's own origin that the server knows nothing of: its files allow no other."""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body="<!doctype html><title>player</title><body></body>")

    page.route(f"{server.url}/player", answer)
    page.goto(f"{server.url}/player")
    page.unroute(f"{server.url}/player")


def _decoded_near_the_end(sample: Sample, source: str) -> Run:
    """The digest of one picture, or of a fifth of a second of sound, four seconds before the end."""
    some = ("-frames:v", "1", "-an") if sample.element == "video" else ("-t", "0.2")
    seek = ("-ss", str(DURATION_S - 4))
    return run("ffmpeg", "-v", "error", "-nostdin", *seek, "-i", source, *some, "-f", "md5", "-")


def _finished(server: Server, name: str, before: int) -> list[dict[str, Any]]:
    """The access lines of a file's requests since `before`, once no transfer is open any more."""
    if server.open_transfers():
        return []
    return [line for line in server.access_lines()[before:] if name in str(line.get("path", ""))]


def _url(server: Server, key: str) -> str:
    return f"{server.url}/files/{key}"

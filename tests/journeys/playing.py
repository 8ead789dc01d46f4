"""Browsers that play files by our page: `media_page/` from an origin of its own, which a server has to allow.

The page tells of each file by a request, so any browser will do that can be given an address.
"""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.server import wait_until

_PAGE = Path(__file__).with_name("media_page")
_HLS = Path(__file__).parents[1] / "interop/node_modules/hls.js/dist/hls.mjs"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A file to be played, as the page wants to be told."""

    key: str
    kind: str
    goal: float | None = 0.6
    """The part of its duration to jump to; None to stay."""
    start: float | None = None
    """Seconds to begin at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file that played was like."""

    first_frame_ms: float
    duration_s: float
    early_s: float
    """The time it had reached soon after the start."""
    goal_s: float
    """Where it was told to jump."""
    late_s: float
    """The time it had reached after the jump."""
    frames: int
    """Pictures that came after the jump."""
    picture_s: float
    """The time of the picture that was looked at, as the browser has it."""
    picture: bytes
    """Its greens, 32 by 18; empty where none is shown."""
    pitch_hz: float
    """The loudest tone, 0 for silence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one wish."""

    key: str
    offered: list[str]
    """Method and type of each way the server named."""
    chosen: list[str]
    """The methods that the browser took for possible and tried, the last of them with success if it played."""
    failures: list[str]
    """Why those before did not."""
    error: str | None
    seen: Seen | None


def _outcome(report: dict[str, Any]) -> Outcome:
    seen = report.pop("seen")
    return Outcome(**report, seen=seen and Seen(**seen | {"picture": bytes(seen["picture"])}))


class Stand:
    """Serves the page and hands over what it tells."""

    def __init__(self) -> None:
        told: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._told = told

        class Answers(BaseHTTPRequestHandler):
            """The page's files, and its reports."""

            def do_GET(self) -> None:
                name = self.path.lstrip("/") or "index.html"
                path = _HLS if name == _HLS.name else _PAGE / Path(name).name
                if path.is_file():
                    self._answer(200, path.read_bytes(), _TYPES[path.suffix])
                else:
                    self._answer(404, b"", "text/plain")

            def do_POST(self) -> None:
                report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.put(report and _outcome(report))  # before the page goes on
                self._answer(204, b"", "text/plain")

            def _answer(self, status: int, body: bytes, media_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def origin(self) -> str:
        """What a server has to allow."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def address(self, server: str, wishes: Iterable[Wish], *, at_once: int) -> str:
        """The page that plays them from `server`."""
        told = {"server": server, "wishes": [asdict(wish) for wish in wishes], "at_once": at_once}
        return f"{self.origin}/#{quote(json.dumps(told))}"

    def outcomes(self) -> Iterator[Outcome]:
        """As they come; ends with the first page that is done. queue.Empty when none comes for two minutes."""
        yield from iter(lambda: self._told.get(timeout=_PATIENCE_S), None)

    def __enter__(self) -> "Stand":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


Browse = Callable[[str, Path], AbstractContextManager[None]]
"""Opens an address in a browser that keeps its things in a folder, until the end of the block."""


def played(
    stand: Stand, browse: Browse, folder: Path, server: str, wishes: Iterable[Wish], *, at_once: int = 3
) -> dict[str, Outcome]:
    """What became of each wish, by key."""
    with browse(stand.address(server, wishes, at_once=at_once), folder):
        return {outcome.key: outcome for outcome in stand.outcomes()}


@contextmanager
def chromium(address: str, folder: Path) -> Iterator[None]:
    """Debian's, without a head."""
    words = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")  # fmt: skip
    with _running("chromium", *words, f"--user-data-dir={folder}", address):
        yield


@contextmanager
def firefox(address: str, folder: Path) -> Iterator[None]:
    """Debian's ESR, without a head, that plays without being asked to by a person; its sound goes to `null_speaker`."""
    wishes = {
        "media.autoplay.default": 0,
        "media.autoplay.blocking_policy": 0,
        "media.autoplay.block-webaudio": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "app.update.enabled": False,
        "browser.shell.checkDefaultBrowser": False,
        "toolkit.telemetry.enabled": False,
    }
    (folder / "user.js").write_text(
        "".join(f'user_pref("{name}", {json.dumps(is_)});\n' for name, is_ in wishes.items())
    )
    sound = {"PULSE_SERVER": f"unix:{folder}/sound", "HOME": str(folder)}
    with _running("firefox-esr", "--headless", "--no-remote", "--profile", str(folder), address, **sound):
        yield


@contextmanager
def null_speaker(folder: Path) -> Iterator[None]:
    """A sound card that nobody hears, for Firefox: without one it runs no AudioContext. PulseAudio's."""
    address = folder / "sound"
    modules = ("--load=module-null-sink", f"--load=module-native-protocol-unix socket={address} auth-anonymous=1")
    with _running(
        "pulseaudio", "-n", *modules, "--exit-idle-time=-1", "--disable-shm=1", PULSE_RUNTIME_PATH=str(folder)
    ):
        wait_until(address.exists)
        yield


@contextmanager
def _running(*words: str, **environment: str) -> Iterator[None]:
    """The program and all that it starts, in a session of its own that ends with the block."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, env={**os.environ, **environment}
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

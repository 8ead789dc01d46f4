"""What players really send, replayed: captured patterns of each client, against files stored and virtual alike.

Every answer is compared byte by byte. A player that has what it wants hangs up in the middle of an answer, as they do.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fileserver.media.faststart import planned
from tests.support.clients import run
from tests.support.media_files import made, shared_folder
from tests.support.server import Server, running_server
from tests.support.wire import Connection, Head, request, request_bytes

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as its players see it: an address, and what must come from there."""

    port: int
    path: str
    content: bytes
    etag: str

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Step:
    """One request: its fields, the bytes it must be answered with (None: it has to be refused), and how many the player
    takes before it hangs up (None: all)."""

    fields: Fields
    span: range | None
    take: int | None = None
    is_whole: bool = False
    """It has to be answered with 200."""


def closed(span: range) -> tuple[str, str]:
    return "Range", f"bytes={span.start}-{span.stop - 1}"


def onwards(start: int) -> tuple[str, str]:
    return "Range", f"bytes={start}-"


def chromium(shown: Shown) -> Iterator[Step]:
    """Opens whole, drops that, asks for the rest of the file at each seek twice, and fills holes; `If-Range` always."""
    size, common = shown.size, (("Accept-Encoding", "identity"), ("Sec-Fetch-Dest", "video"))
    condition = ("If-Range", shown.etag)
    yield Step((*common, onwards(0)), range(size), take=32_768)
    for start in (size - 3000, size // 2, size // 2, size // 5, size // 5, size * 9 // 10, size * 9 // 10):
        yield Step((*common, closed(range(start, size)), condition), range(start, size), take=65_536)
    yield Step((*common, closed(range(32_768, size // 5)), condition), range(32_768, size // 5))
    yield Step((*common, closed(range(size - 1, size)), condition), range(size - 1, size))
    yield Step((*common, onwards(size // 2), ("If-Range", '"another"')), range(size), is_whole=True)


def firefox(shown: Shown) -> Iterator[Step]:
    """Open ranges alone, no condition, two or three connections a seek."""
    yield Step((onwards(0),), range(shown.size), take=20_000)
    for start in (shown.size - 100, shown.size // 2, shown.size // 2 + 30_000, shown.size // 3, shown.size * 4 // 5):
        yield Step((("Accept-Encoding", "identity"), onwards(start)), range(start, shown.size), take=40_000)


def mpv(shown: Shown) -> Iterator[Step]:
    """A connection for each open range; asks for a radio station's titles, which must not be put among the bytes."""
    common = (("Icy-MetaData", "1"), ("Connection", "close"), ("Accept", "*/*"))
    for start, take in ((0, 5000), (shown.size - 2000, None), (48, 60_000), (shown.size // 2, 60_000)):
        yield Step((*common, onwards(start)), range(start, shown.size), take=take)


def mpv_reconnects(shown: Shown) -> Iterator[Step]:
    """After each break it goes on exactly where it was."""
    place = 0
    for take in (1, 10_000, 70_000):
        yield Step((("Icy-MetaData", "1"), onwards(place)), range(place, shown.size), take=take)
        place += take
    yield Step((("Icy-MetaData", "1"), onwards(place)), range(place, shown.size))


def vlc(shown: Shown) -> Iterator[Step]:
    """Asks once for what is behind the end, and learns the size from the refusal."""
    yield Step((onwards(0),), range(shown.size), take=30_000)
    yield Step((onwards(shown.size),), None)
    yield Step((onwards(shown.size * 2 // 3),), range(shown.size * 2 // 3, shown.size), take=30_000)


def apple(shown: Shown) -> Iterator[Step]:
    """Two bytes, then closed ranges that end where the file does; no condition ever."""
    common = (("X-Playback-Session-Id", "8F2A"), ("Accept-Encoding", "identity"))
    yield Step((*common, closed(range(2))), range(2))
    yield Step((*common, closed(range(shown.size))), range(shown.size), take=50_000)
    for start in (shown.size - 70_000, 65_536):
        stop = min(start + 65_536, shown.size)
        yield Step((*common, closed(range(start, stop))), range(start, stop))
    yield Step((*common, closed(range(shown.size - 1, shown.size))), range(shown.size - 1, shown.size))


def bisection(shown: Shown) -> Iterator[Step]:
    """A FLAC file without a seek table is searched by halves: twenty small looks for one jump."""
    low, high = 0, shown.size
    for number in range(20):
        middle = (low + high) // 2
        yield Step((onwards(middle),), range(middle, shown.size), take=4096)
        low, high = (middle, high) if number % 3 else (low, middle + 1)


def resuming(shown: Shown) -> Iterator[Step]:
    """curl -C -, wget -c and aria2: suffixes, parts at a time, and 416 where they have all."""
    for first in range(4):
        part = range(shown.size)[first * shown.size // 4 : (first + 1) * shown.size // 4]
        yield Step((closed(part), ("If-Range", shown.etag)), part)
    yield Step((("Range", "bytes=-500"),), range(shown.size - 500, shown.size))
    yield Step((("Range", f"bytes=10-{10 * shown.size}"),), range(10, shown.size))
    yield Step((onwards(shown.size),), None)
    yield Step((("Range", "bytes=nonsense"),), range(shown.size), is_whole=True)
    yield Step((), range(shown.size), is_whole=True)


PLAYERS: tuple[Callable[[Shown], Iterator[Step]], ...] = (
    chromium,
    firefox,
    mpv,
    mpv_reconnects,
    vlc,
    apple,
    bisection,
    resuming,
)


@pytest.fixture(scope="module", params=["film", "film with its index in front", "song", "song as WAV"])
def shown(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Each kind of file, stored and virtual, and its bytes found out another way."""
    name = "index-at-end.mp4" if "film" in request.param else "alac.m4a"
    folder = server.root / "players"
    folder.mkdir(exist_ok=True)
    stored = copied(name, folder / name, tmp_path_factory)
    match request.param:
        case "film with its index in front":
            path, content = f"/media/players/{name}/faststart/film.mp4", in_front(stored)
        case "song as WAV":
            path, content = f"/media/players/{name}/wav/song.wav", as_wav(server.port, name, stored)
        case _:
            path, content = f"/files/players/{name}", stored.read_bytes()
    etag = request_head(server.port, path).get("etag")
    assert etag is not None
    return Shown(server.port, path, content, etag)


@pytest.mark.parametrize("player", PLAYERS)
def test_every_answer_is_what_the_player_needs(shown: Shown, player: Callable[[Shown], Iterator[Step]]) -> None:
    for step in player(shown):
        with Connection(shown.port) as connection:
            connection.send(request_bytes("GET", shown.path, *step.fields))
            head = connection.head()
            if step.span is None:
                assert (head.status, head.get("content-range")) == (416, f"bytes */{shown.size}"), step
                continue
            must_say(head, step, shown)
            size = len(step.span) if step.take is None else min(step.take, len(step.span))
            assert connection.read(size) == shown.content[step.span.start : step.span.start + size], step


def must_say(head: Head, step: Step, shown: Shown) -> None:
    """Length, place and version are told, exactly, and the body comes in one piece."""
    assert step.span is not None
    assert head.status == (200 if step.is_whole else 206), step
    assert head.get("content-length") == str(len(step.span)), step
    assert head.get("transfer-encoding") is None
    assert head.get("etag") == shown.etag
    assert head.get("accept-ranges") == "bytes"
    assert not any(name.startswith("icy-") for name, _ in head.fields)
    place = None if step.is_whole else f"bytes {step.span.start}-{step.span.stop - 1}/{shown.size}"
    assert head.get("content-range") == place, step


def test_head_is_what_get_begins_with(shown: Shown) -> None:
    asked, given = request_head(shown.port, shown.path), request(shown.port, "GET", shown.path).head
    changing = ("date", "server-timing", "x-request-id")
    assert [each for each in asked.fields if each[0] not in changing] == [
        each for each in given.fields if each[0] not in changing
    ]


def test_what_has_not_changed_is_not_sent_again(shown: Shown) -> None:
    answer = request(shown.port, "GET", shown.path, ("If-None-Match", shown.etag))
    assert (answer.status, answer.body) == (304, b"")


def test_several_ranges_come_in_one_answer(shown: Shown) -> None:
    spans = (range(2), range(shown.size // 2, shown.size // 2 + 1000), range(shown.size - 7, shown.size))
    asked = ", ".join(f"{span.start}-{span.stop - 1}" for span in spans)
    answer = request(shown.port, "GET", shown.path, ("Range", f"bytes={asked}"))
    assert answer.status == 206
    boundary = (answer.head.get("content-type") or "").partition("boundary=")[2].encode()
    parts = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in answer.body.split(b"--" + boundary)[1:-1]]
    assert parts == [shown.content[span.start : span.stop] for span in spans]


RECEIVER = "https://receiver.example"


@pytest.mark.parametrize(
    "path", ["/files/film.mp4", "/media/film.mp4/faststart/film.mp4", "/media/song.m4a/wav/song.wav", "/media/film.mp4"]
)
def test_a_cast_receiver_may_ask_for_ranges(casting: Server, path: str) -> None:
    """It asks beforehand whether it may, and has to be let see where the bytes belong."""
    asks = (("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "range"))
    permission = request(casting.port, "OPTIONS", path, ("Origin", RECEIVER), *asks)
    assert (permission.status, permission.head.get("access-control-allow-origin")) == (204, RECEIVER)
    assert "range" in (permission.head.get("access-control-allow-headers") or "").lower()
    answer = request(casting.port, "GET", path, ("Origin", RECEIVER), ("Range", "bytes=0-1"))
    assert (answer.status, answer.head.get("access-control-allow-origin")) == (206, RECEIVER)
    exposed = (answer.head.get("access-control-expose-headers") or "").lower()
    assert all(name in exposed for name in ("accept-ranges", "content-range", "etag"))


@pytest.fixture(scope="module")
def casting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose files the pages of another origin may play."""
    root = tmp_path_factory.mktemp("casting")
    copied("index-at-end.mp4", root / "film.mp4", tmp_path_factory)
    copied("alac.m4a", root / "song.m4a", tmp_path_factory)
    with running_server(root, "--allowed-origins", RECEIVER) as running:
        yield running


def copied(name: str, target: Path, temporary: pytest.TempPathFactory) -> Path:
    """A file of the matrix in a server's folder."""
    return Path(shutil.copy(made(name, shared_folder(temporary.getbasetemp())), target))


def in_front(stored: Path) -> bytes:
    """The film with its index in front; proved elsewhere to hold the same packets."""
    content = stored.read_bytes()
    asking = planned(len(content))
    span = next(asking)
    while True:
        try:
            span = asking.send(content[span.start : span.stop])
        except StopIteration as end:
            pieces = end.value.pieces
            return b"".join(
                piece if isinstance(piece, bytes) else content[piece.start : piece.stop] for piece in pieces
            )


def as_wav(port: int, name: str, stored: Path) -> bytes:
    """The header that the server gives, and the samples that FFmpeg finds."""
    samples = run(
        "ffmpeg", "-v", "error", "-nostdin", "-i", stored, "-map", "0:a:0", "-c:a", "pcm_s24le", "-f", "s24le", "-"
    ).output
    head_size = int(request_head(port, f"/media/players/{name}/wav/song.wav").get("content-length") or 0) - len(samples)
    assert head_size in (44, 68)
    answer = request(port, "GET", f"/media/players/{name}/wav/song.wav", ("Range", f"bytes=0-{head_size - 1}"))
    assert answer.body[:4] == b"RIFF"
    return answer.body + samples


def request_head(port: int, path: str) -> Head:
    """What the server says of a file."""
    answer = request(port, "HEAD", path)
    assert answer.status == 200, answer
    return answer.head

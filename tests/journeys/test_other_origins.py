"""A page of another site uses the server from a person's browser, as far as its operator allows."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.server import Server, running_server

_TUS_CLIENT = Path(__file__).parents[1] / "interop" / "node_modules" / "tus-js-client" / "dist" / "tus.min.js"

# A dot.
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>elsewhere</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are no news."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of a web server with empty pages. `localhost` and `127.0.0.1` make two sites of it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as pages:
        thread = Thread(target=pages.serve_forever)
        thread.start()
        yield pages.server_port
        pages.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def store(elsewhere: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that allows the pages of `localhost` elsewhere, and has a text and a picture."""
    root = tmp_path_factory.mktemp("origins")
    _fill(root)
    with running_server(root, "--allowed-origins", f"http://localhost:{elsewhere}") as server:
        yield server


@pytest.fixture
def friend(page: Page, elsewhere: int) -> Page:
    """A page of the allowed origin, which is of another site than the server."""
    page.goto(f"http://localhost:{elsewhere}/")
    return page


@pytest.fixture
def stranger(page: Page, elsewhere: int) -> Page:
    """A page of an origin that is not allowed."""
    page.goto(f"http://127.0.0.1:{elsewhere}/")
    return page


def _fill(root: Path) -> None:
    (root / "letters.txt").write_bytes(b"abcdefghij")
    (root / "dot.png").write_bytes(_PICTURE)


# Sends one request and resolves with all that a page may learn of its answer; never rejects.
_ASK = """
async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return {
      status: answer.status, type: answer.type, text: await answer.text(), headers: Object.fromEntries(answer.headers)
    };
  } catch (error) {
    return {error: error.name};
  }
}
"""


def _ask(page: Page, url: str, **options: object) -> Any:
    return page.evaluate(_ASK, [url, options])


@pytest.mark.parametrize(
    ("asked", "text", "told"),
    [("bytes=2-5", "cdef", "bytes 2-5/10"), ("bytes=-3", "hij", "bytes 7-9/10")],
    ids=["without a preflight", "with a preflight"],
)
def test_an_allowed_page_reads_a_part_and_what_is_said_of_it(
    store: Server, friend: Page, asked: str, text: str, told: str
) -> None:
    whole = _ask(friend, f"{store.url}/files/letters.txt")
    part = _ask(friend, f"{store.url}/files/letters.txt", headers={"Range": asked})
    assert (part["status"], part["type"], part["text"]) == (206, "cors", text)
    assert part["headers"]["content-range"] == told
    assert part["headers"]["accept-ranges"] == "bytes"
    assert part["headers"]["etag"] == whole["headers"]["etag"]


def test_an_allowed_page_stores_a_file_and_reads_refusals(store: Server, friend: Page) -> None:
    url = f"{store.url}/files/new/stored.txt"
    options = {"method": "PUT", "body": "stored", "headers": {"If-None-Match": "*", "Content-Type": "text/plain"}}
    first, second = _ask(friend, url, **options), _ask(friend, url, **options)
    assert (first["status"], first["headers"]["location"]) == (201, "/files/new/stored.txt")
    assert first["headers"]["repr-digest"].startswith("sha-256=:")
    assert first["headers"]["etag"] == _ask(friend, url)["headers"]["etag"]
    assert second["status"] == 412
    assert json.loads(second["text"])["type"] == "urn:problem-type:fileserver:precondition-failed"
    assert store.stored()["new/stored.txt"] == b"stored"
    assert _ask(friend, url, method="DELETE")["status"] == 204
    assert "new/stored.txt" not in store.stored()


def test_no_page_gets_an_answer_to_what_it_asked_with_cookies(store: Server, friend: Page) -> None:
    assert _ask(friend, f"{store.url}/files/letters.txt", credentials="include") == {"error": "TypeError"}


def test_a_page_of_another_origin_reads_and_changes_nothing(store: Server, stranger: Page) -> None:
    url = f"{store.url}/files/letters.txt"
    assert _ask(stranger, url) == {"error": "TypeError"}
    assert _ask(stranger, url, headers={"Range": "bytes=2-5"}) == {"error": "TypeError"}
    assert _ask(stranger, url, method="PUT", body="theirs") == {"error": "TypeError"}
    assert _ask(stranger, url, method="DELETE") == {"error": "TypeError"}
    assert store.stored()["letters.txt"] == b"abcdefghij"


def test_an_allowed_page_uploads_in_parts_and_reads_how_far_it_has_come(store: Server, friend: Page) -> None:
    target = f"{store.url}/files/parts.txt"
    begun = _ask(friend, target, method="PUT", body="abc", headers={"Upload-Complete": "?0"})
    assert (begun["status"], begun["headers"]["upload-offset"]) == (201, "3")
    assert begun["headers"]["upload-complete"] == "?0"
    upload = store.url + begun["headers"]["location"]
    asked = _ask(friend, upload, method="HEAD")
    assert (asked["status"], asked["headers"]["upload-offset"]) == (204, "3")
    last_part = {"Upload-Offset": "3", "Upload-Complete": "?1", "Content-Type": "application/partial-upload"}
    ended = _ask(friend, upload, method="PATCH", body="defghij", headers=last_part)
    assert (ended["status"], ended["headers"]["location"]) == (201, "/files/parts.txt")
    assert store.stored()["parts.txt"] == b"abcdefghij"


# Uploads 300 kB in pieces, stops after the second, and goes on with what the browser remembers; resolves with the
# upload's address and the offsets that were told, or with the error.
_UPLOAD = """
async ([endpoint, filename]) => {
  const film = new File([new Uint8Array(300000).fill(7)], filename);
  const offsets = [];
  const send = (stopAfter) => new Promise((resolve, reject) => {
    let pieces = 0;
    const upload = new tus.Upload(film, {
      endpoint, metadata: {filename}, chunkSize: 70000, retryDelays: null, onError: reject,
      onAfterResponse: (request, answer) => offsets.push(answer.getHeader('Upload-Offset')),
      onChunkComplete: () => { if (++pieces === stopAfter) upload.abort().then(() => resolve(upload.url)); },
      onSuccess: () => resolve(upload.url),
    });
    upload.findPreviousUploads().then((found) => {
      if (found.length) upload.resumeFromPreviousUpload(found[0]);
      upload.start();
    });
  });
  try {
    const first = await send(2);
    return {first, second: await send(0), offsets};
  } catch (error) {
    return {error: String(error)};
  }
}
"""


def test_an_allowed_page_uploads_with_tus_js_client_and_goes_on_after_a_stop(store: Server, friend: Page) -> None:
    friend.add_script_tag(path=_TUS_CLIENT)
    done = friend.evaluate(_UPLOAD, [f"{store.url}/uploads", "film.bin"])
    assert "error" not in done, done
    assert done["first"] == done["second"]
    assert done["first"].startswith(f"{store.url}/uploads/")
    assert done["offsets"][1:] == ["70000", "140000", "140000", "210000", "280000", "300000"]
    assert store.stored()["film.bin"] == bytes([7]) * 300000


# Submits a form with a file, as any page may without asking; resolves when the browser has its answer.
_POST_FORM = """
async (url) => {
  const form = new FormData();
  form.append('file', new File(['theirs'], 'form.txt'));
  return (await fetch(url, {method: 'POST', body: form, mode: 'no-cors'})).type;
}
"""


def test_a_form_of_another_origin_is_refused_though_browsers_send_it_unasked(store: Server, stranger: Page) -> None:
    with stranger.expect_response(f"{store.url}/files/") as posted:
        assert stranger.evaluate(_POST_FORM, f"{store.url}/files/") == "opaque"
    assert posted.value.status == 403
    assert "form.txt" not in store.stored()


# Puts a picture into the page; resolves with whether it is seen.
_SHOW = """
([source, crossOrigin]) => new Promise((resolve) => {
  const picture = new Image();
  picture.crossOrigin = crossOrigin;
  picture.onload = () => resolve(true);
  picture.onerror = () => resolve(false);
  picture.src = source;
})
"""


@pytest.mark.parametrize(("cross_origin", "is_seen"), [("anonymous", True), (None, False)])
def test_an_allowed_page_shows_a_picture_if_it_says_who_it_is(
    store: Server, friend: Page, cross_origin: str | None, is_seen: bool
) -> None:
    assert friend.evaluate(_SHOW, [f"{store.url}/files/dot.png", cross_origin]) is is_seen


def test_a_page_of_another_origin_shows_no_picture(store: Server, stranger: Page) -> None:
    assert stranger.evaluate(_SHOW, [f"{store.url}/files/dot.png", "anonymous"]) is False
    assert stranger.evaluate(_SHOW, [f"{store.url}/files/dot.png", None]) is False


def test_with_a_star_any_page_may_do_all_this(stranger: Page, tmp_path: Path) -> None:
    _fill(tmp_path)
    with running_server(tmp_path, "--allowed-origins", "*") as server:
        assert _ask(stranger, f"{server.url}/files/letters.txt", headers={"Range": "bytes=-3"})["text"] == "hij"
        assert _ask(stranger, f"{server.url}/files/new.txt", method="PUT", body="theirs")["status"] == 201
        assert stranger.evaluate(_SHOW, [f"{server.url}/files/dot.png", None]) is True
        assert server.stored()["new.txt"] == b"theirs"

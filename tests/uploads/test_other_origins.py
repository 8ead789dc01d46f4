"""A page of another origin uploads, where the server knows that origin (C79)."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server, running_server
from tests.support.wire import Answer, request
from tests.uploads.dialects import LAST, OFFSET_TYPE, VERSION, Line, fresh_key, metadata, stored, told

_ORIGIN: Line = ("Origin", "https://photos.example")
_SITE: Line = ("Sec-Fetch-Site", "cross-site")
_ASKED = {
    "POST": "tus-resumable,upload-length,upload-metadata,upload-concat,upload-defer-length,content-type,repr-digest",
    "PATCH": "tus-resumable,upload-offset,upload-checksum,upload-complete,upload-length,content-type,content-digest",
    "PUT": "upload-complete,upload-draft-interop-version,if-match,if-none-match,content-digest,content-type",
    "DELETE": "tus-resumable,if-match",
    "HEAD": "tus-resumable",
}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that one other origin may use."""
    with running_server(tmp_path_factory.mktemp("known"), "--allowed-origins", _ORIGIN[1]) as server:
        yield server


@pytest.mark.parametrize("method", _ASKED)
def test_a_browser_is_told_beforehand_that_it_may(known: Server, method: str) -> None:
    for target in ("/uploads", "/uploads/unknown", "/files/key"):
        answer = _preflight(known, target, method, _ORIGIN)
        assert answer.status in (200, 204)
        assert told(answer, "access-control-allow-origin") == _ORIGIN[1]
        assert method in told(answer, "access-control-allow-methods")
        allowed = {name.strip().lower() for name in told(answer, "access-control-allow-headers").split(",")}
        assert allowed >= set(_ASKED[method].split(","))
        assert "origin" in told(answer, "vary").lower()


def test_an_unknown_origin_is_told_nothing(known: Server) -> None:
    answer = _preflight(known, "/uploads", "POST", ("Origin", "https://evil.example"))
    assert answer.head.get("access-control-allow-origin") is None


def test_no_origin_is_known_unless_it_is_said(store: Server) -> None:
    assert _preflight(store, "/uploads", "POST", _ORIGIN).head.get("access-control-allow-origin") is None


def test_a_page_uploads_and_sees_how(known: Server) -> None:
    key = fresh_key()
    lines = (_ORIGIN, _SITE, VERSION)
    made = request(known.port, "POST", "/uploads", *lines, ("Upload-Length", "6"), metadata(key=key))
    target = told(made, "location")
    begun = request(known.port, "PATCH", target, *lines, OFFSET_TYPE, ("Upload-Offset", "0"), body=b"abc")
    head = request(known.port, "HEAD", target, *lines)
    wrong = request(known.port, "PATCH", target, *lines, OFFSET_TYPE, ("Upload-Offset", "0"), body=b"abc")
    ended = request(known.port, "PATCH", target, *lines, OFFSET_TYPE, ("Upload-Offset", "3"), body=b"def")
    answers = (made, begun, head, wrong, ended)
    assert [answer.status for answer in answers] == [201, 204, 200, 409, 204]
    for answer in answers:
        assert told(answer, "access-control-allow-origin") == _ORIGIN[1]
        shown = {name.strip().lower() for name in told(answer, "access-control-expose-headers").split(",")}
        assert shown >= {
            "location",
            "upload-offset",
            "upload-length",
            "upload-complete",
            "upload-limit",
            "upload-expires",
            "upload-metadata",
            "upload-concat",
            "tus-resumable",
            "tus-version",
            "tus-extension",
            "tus-max-size",
            "etag",
            "repr-digest",
            "content-location",
            "retry-after",
        }
    assert stored(known, key) == b"abcdef"


def test_a_page_uploads_in_one_request(known: Server) -> None:
    answer = request(known.port, "PUT", f"/files/{fresh_key()}", _ORIGIN, _SITE, LAST, body=b"abc")
    assert (answer.status, told(answer, "access-control-allow-origin")) == (201, _ORIGIN[1])


def test_another_page_does_not(known: Server) -> None:
    before = known.drafts()
    answer = request(
        known.port, "POST", "/uploads", ("Origin", "https://evil.example"), _SITE, VERSION, ("Upload-Length", "6")
    )
    assert (answer.status, answer.head.get("access-control-allow-origin")) == (403, None)
    assert known.drafts() == before


def _preflight(server: Server, target: str, method: str, origin: Line) -> Answer:
    return request(
        server.port,
        "OPTIONS",
        target,
        origin,
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", _ASKED[method]),
    )

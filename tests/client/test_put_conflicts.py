"""`put` and the 409s of tus servers: which mean another offset, which end the file, which are asked again."""

import json
from pathlib import Path

import pytest

from fileserver.http.problems import (
    FOLDER_IN_THE_WAY,
    KEY_BUSY,
    KEY_TAKEN,
    MISMATCHING_OFFSET,
    UPLOAD_TAKEN_OVER,
    ProblemType,
)
from tests.client.conftest import Run
from tests.client.scripted_web import Asked, FakeTus, Reply, Said
from tests.client.serving import Send
from tests.support.files import MIB, KnownFile
from tests.support.server import Server

_OTHER = ProblemType("https://example.org/other", 409, "Something else")


def _problem(kind: ProblemType, **fields: str) -> Reply:
    body = {"type": kind.uri, "title": kind.title, "detail": "So it is."}
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    return Reply(409, {"Content-Type": "application/problem+json", **fields}, json.dumps(body).encode())


class _Placing:
    """A tus server that answers so to requests which bring the last byte, or none, once they did; so many times."""

    def __init__(self, reply: Reply, *, times: int = 1000) -> None:
        self.tus = FakeTus()
        self._reply = reply
        self._times = times

    def script(self, asked: Asked) -> Said:
        reply = self.tus.script(asked)
        if asked.method == "PATCH" and len(self.tus.content) == self.tus.length and self._times:
            self._times -= 1
            return self._reply
        return reply

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.tus.requests]


@pytest.mark.parametrize("kind", [KEY_TAKEN, FOLDER_IN_THE_WAY])
@pytest.mark.parametrize("fields", [{}, {"upload_offset": "1"}])
def test_an_upload_that_cannot_be_placed_fails_and_is_withdrawn(
    send: Send, state: Path, kind: ProblemType, fields: dict[str, str]
) -> None:
    placing = _Placing(_problem(kind, **fields))
    (outcome,) = send(placing.script)
    assert f"{kind.title}: So it is." in (outcome.error or "")
    assert placing.methods == ["OPTIONS", "POST", "PATCH", "DELETE"]
    assert list(state.glob("*.json")) == []


def test_an_upload_that_was_whole_and_cannot_be_placed_fails(send: Send, state: Path) -> None:
    placing = _Placing(_problem(KEY_TAKEN))
    placing.tus.cuts = [5 * MIB + 3]

    def script(asked: Asked) -> Said:
        return placing.script(asked) if asked.length < MIB else placing.tus.script(asked)

    (outcome,) = send(script)
    assert KEY_TAKEN.title in (outcome.error or "")
    assert placing.methods == ["OPTIONS", "POST", "PATCH", "HEAD", "PATCH", "DELETE"]
    assert list(state.glob("*.json")) == []


@pytest.mark.parametrize("kind", [UPLOAD_TAKEN_OVER, _OTHER])
def test_another_conflict_ends_the_file_and_withdraws_nothing(send: Send, state: Path, kind: ProblemType) -> None:
    placing = _Placing(_problem(kind))
    (outcome,) = send(placing.script)
    assert f"{kind.title}: So it is." in (outcome.error or "")
    assert "DELETE" not in placing.methods
    assert len(list(state.glob("*.json"))) == 1


def test_a_name_that_is_busy_is_tried_again(send: Send) -> None:
    placing = _Placing(_problem(KEY_BUSY), times=1)
    assert send(placing.script)[0].is_done


@pytest.mark.parametrize(
    "reply",
    [
        Reply(409),
        Reply(409, {"Content-Type": "application/problem+json"}, b"[]"),
        Reply(409, {"Content-Type": "application/problem+json"}, b"{"),
        _problem(MISMATCHING_OFFSET),
        _problem(_OTHER, upload_offset="5"),
    ],
)
def test_a_conflict_that_means_an_offset_is_followed(send: Send, film: KnownFile, reply: Reply) -> None:
    tus = FakeTus()
    told: list[Reply] = []

    def script(asked: Asked) -> Said:
        if asked.method == "PATCH" and not told:
            told.append(reply)
            return reply
        return tus.script(asked)

    assert send(script)[0].is_done
    assert bytes(tus.content) == film.path.read_bytes()


def test_a_name_that_is_taken_at_the_creation_speaks_of_replace(send: Send) -> None:
    tus = FakeTus()

    def script(asked: Asked) -> Said:
        return _problem(KEY_TAKEN) if asked.method == "POST" else tus.script(asked)

    assert "--replace replaces it" in (send(script)[0].error or "")


def test_a_name_that_is_busy_at_the_creation_is_tried_again(send: Send) -> None:
    tus = FakeTus()
    told: list[Asked] = []

    def script(asked: Asked) -> Said:
        if asked.method == "POST" and not told:
            told.append(asked)
            return _problem(KEY_BUSY)
        return tus.script(asked)

    assert send(script)[0].is_done


def test_a_folder_in_the_way_is_called_one(server: Server, film: KnownFile, run: Run) -> None:
    (server.root / "shelf").mkdir()
    done = run("put", "--replace", film.path, f"{server.url}/files/shelf")
    assert done.code == 1
    assert "A folder has this name" in done.errors
    assert "--replace" not in done.errors

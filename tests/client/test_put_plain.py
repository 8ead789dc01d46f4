"""`put` to a server without tus: whole each time, and nothing replaced by accident."""

import hashlib

import pytest

from fileserver.client.progress import Display
from fileserver.client.put import PutOptions, put
from fileserver.http.digests import format_digest
from tests.client.scripted_web import Asked, Reply, Said, scripted_web
from tests.client.serving import Send
from tests.support.files import KnownFile


class Shelf:
    """A server that knows PUT and no tus."""

    def __init__(self, *replies: Said) -> None:
        self.replies = list(replies)
        self.files: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.tells_digests = False
        self.knows_conditions = True

    def __call__(self, asked: Asked) -> Said:
        if asked.method != "PUT":
            return self._told(asked)
        self.asked.append(asked)
        if self.replies:
            return self.replies.pop(0)
        if self.knows_conditions and "if-none-match" in asked.fields and asked.path in self.files:
            return Reply(412)
        self.files[asked.path] = asked.read(asked.length)
        return Reply(201)

    def _told(self, asked: Asked) -> Reply:
        if asked.method != "HEAD" or asked.path not in self.files:
            return Reply(405)
        digest = hashlib.sha256(self.files[asked.path]).digest()
        return Reply(200, {"Repr-Digest": format_digest("sha-256", digest)} if self.tells_digests else {})


def test_a_server_without_tus_gets_a_plain_put(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    (outcome,) = send(shelf, "/dav/")
    assert (outcome.is_done, outcome.verified) == (True, False)
    assert shelf.files == {"/dav/film.bin": film.path.read_bytes()}
    assert shelf.asked[0].fields["if-none-match"] == "*"


def test_a_plain_put_under_another_name_is_whole_again_after_trouble(send: Send, film: KnownFile) -> None:
    shelf = Shelf("cut", Reply(503))
    shelf.tells_digests = True
    (outcome,) = send(shelf, "/dav/other.bin?signed=1")
    assert (outcome.is_done, outcome.verified) == (True, True)
    assert shelf.files == {"/dav/other.bin?signed=1": film.path.read_bytes()}
    assert len(shelf.asked) == 3


def test_a_plain_put_whose_answer_was_lost_is_known_by_its_digest(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    shelf.tells_digests = True

    def script(asked: Asked) -> Said:
        is_first = asked.method == "PUT" and not shelf.asked
        said = shelf(asked)
        return "cut" if is_first else said

    assert send(script, "/dav/")[0].verified
    assert shelf.files == {"/dav/film.bin": film.path.read_bytes()}


def test_a_plain_put_does_not_replace_unless_told(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    shelf.files["/dav/film.bin"] = b"mine"
    assert "--replace" in (send(shelf, "/dav/")[0].error or "")
    assert shelf.files["/dav/film.bin"] == b"mine"
    assert send(shelf, "/dav/", may_replace=True)[0].is_done


def test_a_server_that_knows_no_conditions_is_asked_before_it_replaces(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    shelf.knows_conditions = False
    shelf.files["/dav/film.bin"] = b"mine"
    assert "--replace" in (send(shelf, "/dav/")[0].error or "")
    assert (shelf.asked, shelf.files["/dav/film.bin"]) == ([], b"mine")
    assert send(shelf, "/dav/", may_replace=True)[0].is_done
    assert shelf.files["/dav/film.bin"] == film.path.read_bytes()


def test_whether_something_is_there_is_asked_until_it_is_answered(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    asked_before: list[Asked] = []

    def script(asked: Asked) -> Said:
        if asked.method == "HEAD" and not asked_before:
            asked_before.append(asked)
            return Reply(503)
        return shelf(asked)

    shelf.files["/dav/film.bin"] = b"mine"
    assert "--replace" in (send(script, "/dav/")[0].error or "")
    assert shelf.files["/dav/film.bin"] == b"mine"


@pytest.mark.parametrize(("options", "is_said"), [(204, True), (405, True), (501, True), (404, False), (403, False)])
def test_that_a_server_speaks_no_tus_is_said_when_it_told_so(
    film: KnownFile, options: int, is_said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf()

    def script(asked: Asked) -> Said:
        return Reply(options) if asked.method == "OPTIONS" else shelf(asked)

    with scripted_web(script) as origin:
        (outcome,) = put([film.path], f"{origin}/dav/", PutOptions(), Display(is_quiet=False))
    assert outcome.is_done
    assert ("does not speak tus" in capsys.readouterr().err) == is_said


@pytest.mark.parametrize("status", [404, 405, 421])
def test_a_server_that_takes_nothing_is_not_said_to_speak_no_tus(
    film: KnownFile, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted_web(lambda _: Reply(status)) as origin:
        (outcome,) = put([film.path], f"{origin}/dav/", PutOptions(), Display(is_quiet=False))
    assert f"the server answers {status}" in (outcome.error or "")
    assert "tus" not in capsys.readouterr().err


def test_a_plain_put_that_another_redirects_says_where_to(send: Send) -> None:
    (outcome,) = send(Shelf(Reply(307, {"Location": "http://other/x"})), "/dav/")
    assert "redirects to http://other/x" in (outcome.error or "")

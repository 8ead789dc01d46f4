"""`put` to a server without tus: whole each time, and nothing replaced by accident."""

import hashlib

from fileserver.http.digests import format_digest
from tests.client.scripted_web import Asked, Reply, Said
from tests.client.serving import Send
from tests.support.files import KnownFile


class Shelf:
    """A server that knows PUT and no tus."""

    def __init__(self, *replies: Said) -> None:
        self.replies = list(replies)
        self.files: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.tells_digests = False

    def __call__(self, asked: Asked) -> Said:
        if asked.method != "PUT":
            return self._told(asked)
        self.asked.append(asked)
        if self.replies:
            return self.replies.pop(0)
        if "if-none-match" in asked.fields and asked.path in self.files:
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
    shelf = Shelf("cut")
    shelf.tells_digests = True
    shelf.files["/dav/film.bin"] = film.path.read_bytes()
    assert send(shelf, "/dav/")[0].verified


def test_a_plain_put_does_not_replace_unless_told(send: Send, film: KnownFile) -> None:
    shelf = Shelf()
    shelf.files["/dav/film.bin"] = b"mine"
    assert "--replace" in (send(shelf, "/dav/")[0].error or "")
    assert shelf.files["/dav/film.bin"] == b"mine"
    assert send(shelf, "/dav/", may_replace=True)[0].is_done


def test_a_plain_put_that_another_redirects_says_where_to(send: Send) -> None:
    (outcome,) = send(Shelf(Reply(307, {"Location": "http://other/x"})), "/dav/")
    assert "redirects to http://other/x" in (outcome.error or "")

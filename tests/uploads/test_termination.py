"""An upload that is given up leaves nothing (T14, U12), in either dialect."""

import pytest

from tests.uploads.dialects import Draft, Tus, draft_size, fresh_key, metadata, stored, told

Dialect = Tus | Draft


@pytest.fixture(params=[Tus, Draft])
def dialect(request: pytest.FixtureRequest, tus: Tus, draft: Draft) -> Dialect:
    """A client of each."""
    return tus if request.param is Tus else draft


def test_an_upload_is_given_up(tus: Tus, dialect: Dialect) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    answer = dialect.ask("DELETE", target)
    assert (answer.status, answer.body) == (204, b"")
    assert draft_size(tus.server, target) == -1


def test_an_upload_that_was_given_up_is_gone(tus: Tus, dialect: Dialect) -> None:
    target = tus.begin(fresh_key(), 6, b"abc")
    assert dialect.ask("DELETE", target).status == 204
    for client in (tus, Draft(tus.server)):
        assert client.ask("HEAD", target).status == 404
        assert client.patch(target, 3, b"def").status == 404
        assert client.ask("DELETE", target).status == 404
    assert draft_size(tus.server, target) == -1


def test_a_key_that_was_given_up_is_free(tus: Tus, dialect: Dialect) -> None:
    key = fresh_key()
    assert dialect.ask("DELETE", tus.begin(key, 6, b"abc")).status == 204
    assert tus.patch(tus.create(key, 3), 0, b"new").status == 204
    assert stored(tus.server, key) == b"new"


def test_a_file_stays_when_its_upload_is_forgotten(tus: Tus, dialect: Dialect) -> None:
    key = fresh_key()
    target = tus.begin(key, 3, b"abc")
    assert dialect.ask("DELETE", target).status == 204
    assert tus.ask("HEAD", target).status == 404
    assert stored(tus.server, key) == b"abc"


def test_a_part_is_given_up(tus: Tus) -> None:
    lines = (("Upload-Concat", "partial"), ("Upload-Length", "3"), metadata(note="a part"))
    target = told(tus.ask("POST", "/uploads", *lines), "location")
    assert tus.patch(target, 0, b"abc").status == 204
    assert tus.ask("DELETE", target).status == 204
    assert draft_size(tus.server, target) == -1

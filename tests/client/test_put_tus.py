"""`put` to tus servers and through proxies that fail: every byte once, in its place, and checked."""

import os
from pathlib import Path

import pytest

from fileserver.client.progress import Display
from fileserver.client.put import PutOptions, put
from fileserver.http.digests import format_digest
from tests.client.scripted_web import Asked, FakeTus, Reply, Said, scripted_web
from tests.client.serving import Send
from tests.support.files import MIB, KnownFile, known_bytes


def test_what_a_cut_request_left_is_not_sent_again(send: Send, film: KnownFile) -> None:
    tus = FakeTus(cuts=[2 * MIB, MIB])
    (outcome,) = send(tus.script)
    assert outcome.is_done
    assert bytes(tus.content) == film.path.read_bytes()
    sent = [size for method, size in tus.requests if method == "PATCH"]
    assert sent == [film.size, film.size - 2 * MIB, film.size - 3 * MIB]


def test_more_cuts_than_retries_are_fine_while_bytes_advance(send: Send, film: KnownFile) -> None:
    tus = FakeTus(cuts=[MIB // 2] * 6)
    assert send(tus.script)[0].is_done
    assert bytes(tus.content) == film.path.read_bytes()


def test_a_proxy_that_limits_requests_is_found_out(send: Send, film: KnownFile) -> None:
    tus = FakeTus(max_request=MIB)
    (outcome,) = send(tus.script)
    assert outcome.is_done
    assert bytes(tus.content) == film.path.read_bytes()
    assert [size for method, size in tus.requests if method == "PATCH"][-1] < MIB


def test_connections_that_die_of_size_are_found_out(send: Send, film: KnownFile) -> None:
    tus = FakeTus(dies_above=2 * MIB)
    assert send(tus.script)[0].is_done
    assert bytes(tus.content) == film.path.read_bytes()


def test_a_server_that_takes_no_requests_at_all(send: Send, film: KnownFile) -> None:
    tus = FakeTus(max_request=1000)
    (outcome,) = send(tus.script)
    assert "even small requests" in (outcome.error or "")


def test_chunks_of_the_size_that_was_asked_for(send: Send, film: KnownFile) -> None:
    tus = FakeTus()
    assert send(tus.script, chunk_size=2 * MIB)[0].is_done
    sizes = [size for method, size in tus.requests if method == "PATCH" and size]
    assert sizes == [2 * MIB, 2 * MIB, film.size - 4 * MIB]


@pytest.mark.parametrize("chunk_size", [None, 8 * MIB + 1])
def test_what_came_before_a_cut_is_kept_by_a_server_that_checks(
    send: Send, film: KnownFile, chunk_size: int | None
) -> None:
    tus = FakeTus(extensions="creation,checksum", cuts=[2 * MIB])

    def all_or_nothing(asked: Asked) -> Said:
        if "upload-checksum" in asked.fields and tus.cuts:
            tus.cuts[0] = 0
        return tus.script(asked)

    assert send(all_or_nothing, chunk_size=chunk_size)[0].is_done
    assert [size for method, size in tus.requests if method == "PATCH"] == [film.size, film.size - 2 * MIB]


def test_each_small_chunk_carries_a_checksum_where_the_server_checks(send: Send, film: KnownFile) -> None:
    tus = FakeTus(extensions="creation,checksum")
    told: list[str] = []

    def script(asked: Asked) -> Said:
        told.extend(asked.fields.get("upload-checksum", "").split())
        if len(told) == 2 and told[0] == "sha1" and not any(method == "460" for method, _ in tus.requests):
            tus.requests.append(("460", 0))
            return Reply(460)
        return tus.script(asked)

    assert send(script, chunk_size=8 * MIB)[0].is_done
    assert told == ["sha1", told[1]] * 2
    assert bytes(tus.content) == film.path.read_bytes()


@pytest.mark.parametrize(
    ("told", "is_done", "verified"),
    [("right", True, True), ("wrong", False, False), ("nothing", True, False), ("rubbish", True, False)],
)
def test_the_digest_that_the_server_tells(
    send: Send, film: KnownFile, state: Path, told: str, is_done: bool, verified: bool
) -> None:
    fields = {
        "right": {"Repr-Digest": format_digest("sha-256", bytes.fromhex(film.sha256))},
        "wrong": {"Repr-Digest": format_digest("sha-256", bytes(32))},
        "nothing": {},
        "rubbish": {"Repr-Digest": "sha-256=:???:"},
    }[told]
    (outcome,) = send(FakeTus(completion={"Content-Location": "/kept/film.bin", **fields}).script)
    assert (outcome.is_done, outcome.verified) == (is_done, verified)
    assert list(state.glob("*.json")) == []
    if is_done:
        assert outcome.url.endswith("/kept/film.bin")
    else:
        assert "digest" in (outcome.error or "")


def test_a_digest_is_asked_for_where_the_file_is_said_to_be(send: Send, film: KnownFile) -> None:
    tus = FakeTus(completion={"Content-Location": "/kept/film.bin"})
    told = {"Repr-Digest": format_digest("sha-256", bytes.fromhex(film.sha256))}

    def script(asked: Asked) -> Said:
        return Reply(200, told) if asked.path == "/kept/film.bin" else tus.script(asked)

    assert send(script)[0].verified


def test_a_completing_answer_that_was_lost_is_asked_for_again(send: Send, film: KnownFile) -> None:
    told = {"Repr-Digest": format_digest("sha-256", bytes.fromhex(film.sha256))}
    tus = FakeTus(cuts=[film.size], completion=told)
    (outcome,) = send(tus.script)
    assert (outcome.is_done, outcome.verified) == (True, True)
    assert [size for method, size in tus.requests if method == "PATCH"] == [film.size, 0]


def test_an_upload_that_the_server_forgot_is_begun_anew(send: Send, film: KnownFile) -> None:
    tus = FakeTus(cuts=[MIB])
    forgotten: list[Asked] = []

    def script(asked: Asked) -> Said:
        if asked.method == "HEAD" and not forgotten:
            forgotten.append(asked)
            tus.forget()
        return tus.script(asked)

    assert send(script)[0].is_done
    assert (tus.creations, bytes(tus.content)) == (2, film.path.read_bytes())


def test_a_file_that_changed_between_two_runs_is_sent_anew(film: KnownFile, display: Display) -> None:
    tus = FakeTus(cuts=[MIB, 0, 0])
    with scripted_web(tus.script) as origin:
        sending = [film.path], f"{origin}/tus/", PutOptions(retries=1)
        assert not next(iter(put(*sending, display))).is_done
        film.path.write_bytes(known_bytes(film.size, seed=9))
        assert next(iter(put(*sending, display))).is_done
    assert (tus.creations, bytes(tus.content)) == (2, film.path.read_bytes())
    assert [method for method, _ in tus.requests].count("DELETE") == 1


def test_the_same_file_is_gone_on_with_by_a_later_run(film: KnownFile, display: Display) -> None:
    tus = FakeTus(cuts=[MIB, 0, 0])
    with scripted_web(tus.script) as origin:
        sending = [film.path], f"{origin}/tus/", PutOptions(retries=1)
        assert not next(iter(put(*sending, display))).is_done
        assert next(iter(put(*sending, display))).sha256 == film.sha256
    assert (tus.creations, bytes(tus.content)) == (1, film.path.read_bytes())


def test_a_file_that_changes_while_it_is_sent_fails_and_is_withdrawn(send: Send, film: KnownFile, state: Path) -> None:
    tus = FakeTus(cuts=[MIB])

    def script(asked: Asked) -> Said:
        if asked.method == "HEAD":
            with film.path.open("r+b") as file:
                file.write(b"other")
            os.utime(film.path)
        return tus.script(asked)

    (outcome,) = send(script)
    assert "changed while it was sent" in (outcome.error or "")
    assert tus.requests[-1][0] == "DELETE"
    assert list(state.iterdir()) == []


def test_a_size_past_the_limit_is_not_even_begun(send: Send) -> None:
    tus = FakeTus()

    def script(asked: Asked) -> Said:
        reply = tus.script(asked)
        assert isinstance(reply, Reply)
        return Reply(reply.status, {**reply.fields, "Tus-Max-Size": "1000"})

    (outcome,) = send(script)
    assert "up to 1000 bytes" in (outcome.error or "")
    assert tus.creations == 0


@pytest.mark.parametrize("offset", ["", "-1", "many", "99999999999"])
def test_an_offset_that_cannot_be(send: Send, offset: str) -> None:
    tus = FakeTus(cuts=[0])

    def script(asked: Asked) -> Said:
        return Reply(200, {"Upload-Offset": offset}) if asked.method == "HEAD" else tus.script(asked)

    assert "Upload-Offset" in (send(script)[0].error or "")


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 507])
def test_a_refused_creation_is_final(send: Send, state: Path, status: int) -> None:
    tus = FakeTus()

    def script(asked: Asked) -> Said:
        return Reply(status) if asked.method == "POST" else tus.script(asked)

    (outcome,) = send(script)
    assert not outcome.is_done
    assert list(state.glob("*.json")) == []


def test_a_location_elsewhere_does_not_get_the_fields_of_another(film: KnownFile, display: Display) -> None:
    there = FakeTus()
    asked_there: list[Asked] = []

    def elsewhere(asked: Asked) -> Said:
        asked_there.append(asked)
        return there.script(asked)

    there.length = film.size
    with scripted_web(elsewhere) as other:
        here = FakeTus()

        def script(asked: Asked) -> Said:
            return Reply(201, {"Location": f"{other}/tus/1"}) if asked.method == "POST" else here.script(asked)

        with scripted_web(script) as origin:
            options = PutOptions((("Authorization", "Bearer x"),))
            (outcome,) = put([film.path], f"{origin}/tus/", options, display)
    assert outcome.is_done
    assert all("authorization" not in asked.fields for asked in asked_there)


def test_the_state_is_for_its_owner_alone(send: Send, state: Path) -> None:
    send(FakeTus(cuts=[MIB, 0, 0, 0, 0]).script)
    assert [path.stat().st_mode & 0o077 for path in (state, *state.glob("*.json"))] == [0, 0]

"""What the protocol itself answers to a request it does not take, as a client and as the application see it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from tests.support.server import Server, wait_until
from tests.support.wire import Answer, Connection, request

NAMES = {
    400: "malformed-request",
    408: "request-timeout",
    414: "uri-too-long",
    421: "misdirected-request",
    429: "too-many-connections-from-address",
    431: "header-too-large",
    501: "not-implemented",
    503: "too-many-connections",
    505: "http-version-not-supported",
}
"""The problem type of each status with which a request is refused."""

_numbers = count()


def assert_refused(connection: Connection, *statuses: int) -> Answer:
    """The next answer is a complete refusal with one of these statuses, and the connection ends in order after it."""
    answer = connection.answer()
    assert_refusal(answer, *statuses)
    rest, end = connection.ending()
    assert (rest, end) == (b"", "close"), f"after the refusal came {rest[:200]!r}, then a {end}"
    return answer


def assert_refusal(answer: Answer, *statuses: int) -> None:
    """It has one of the statuses and all that belongs to a refusal."""
    head = answer.head
    assert head.status in statuses, answer
    assert head.interim == ()
    assert head.get("connection") == "close"
    assert head.get("cache-control") == "no-store"
    assert head.get("date"), "an answer has a date (RFC 9110 s.6.6.1)"
    assert (head.get("content-type") or "").partition(";")[0] == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["type"] == f"urn:problem-type:fileserver:{NAMES[head.status]}"
    assert problem["status"] == head.status


def assert_refuses(port: int, sent: bytes, *statuses: int) -> Answer:
    """Whoever sends these bytes is refused with one of the statuses."""
    with Connection(port) as connection:
        with suppress(ConnectionError):  # refused early: the answer is waiting all the same
            connection.send(sent)
        return assert_refused(connection, *statuses)


@contextmanager
def unheard(server: Server) -> Iterator[None]:
    """No request within reaches the application, as the access log tells; afterwards one does and is answered."""
    first = _mark(server)
    yield
    last = _mark(server)
    queries = wait_until(lambda: _queries(server), lambda seen: last in seen)
    assert queries[queries.index(first) :] == [first, last]


def _mark(server: Server) -> str:
    """The query of a request that has its line in the access log soon, after the lines of those before it."""
    query = f"mark={next(_numbers)}"
    assert request(server.port, "HEAD", f"/health?{query}").status == 200
    return query


def _queries(server: Server) -> list[str | None]:
    return [line["query"] for line in server.access_lines() if "query" in line]

"""Answers that the protocol gives by itself, to requests that no application hears of."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from fileserver.http import problems
from fileserver.http.problems import Problem

TOO_SLOW = Problem(problems.REQUEST_TIMEOUT, "The request did not come in time.")
TOO_MANY = Problem(problems.TOO_MANY_CONNECTIONS, "Try again in a moment.")
TOO_MANY_FROM_ADDRESS = Problem(problems.TOO_MANY_FROM_ADDRESS, "Close other connections, or try again in a moment.")
TOO_MANY_REQUESTS = Problem(problems.TOO_MANY_REQUESTS, "Too many requests of this connection wait for an answer.")

RETRY = (b"retry-after", b"1")


class Refused(Exception):
    """Raised within the parser's callbacks, which wrap it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def answer(problem: Problem, method: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The whole answer to a request of this method; `headers` come before the problem's own."""
    given = (*problem.headers(), ("connection", "close"))
    lines = (*headers, *((name.encode(), value.encode()) for name, value in given))
    head = (STATUS_LINE[problem.type.status], *(b"%b: %b\r\n" % line for line in lines), b"\r\n")
    return b"".join(head if method == b"HEAD" else (*head, problem.body()))

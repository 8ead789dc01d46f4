"""The short way to an answer for requests that say nothing beyond their path.

FastAPI reads and checks the parameters of a request for as long as a small file takes to be sent. A request without a
query has none: its route's function is called as it stands, and every parameter has its default. All else is the
route's own business as before, the description, the errors, the labels and the other methods among it.
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class Shortcut(BaseRoute):
    """Goes before the route whose function it calls. That function takes the request, and nothing without a default."""

    def __init__(self, route: APIRoute, endpoint: Endpoint) -> None:
        self._route = route
        self._methods = frozenset(route.methods or ())
        self._endpoint = endpoint

    def matches(self, scope: Scope) -> tuple[Match, MutableMapping[str, Any]]:
        """Whole requests without a query; the route itself has what else it matches."""
        if scope["type"] != "http" or scope["query_string"] or scope["method"] not in self._methods:
            return Match.NONE, {}
        return self._route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def shortcuts(router: APIRouter, *endpoints: Endpoint) -> Iterator[Shortcut]:
    """The short ways to the functions of a router."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.endpoint in endpoints:
            yield Shortcut(route, route.endpoint)

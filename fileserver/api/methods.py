"""Which methods a path has: for Allow (RFC 9110 s.10.2.1), which the framework tells of one route alone."""

from fastapi import Request
from starlette.routing import BaseRoute, Match

METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "MOVE", "COPY", "MKCOL", "OPTIONS")


def allowed_methods(request: Request) -> tuple[str, ...]:
    """All methods that the routes of the request's path have between them, OPTIONS included; empty for no such path."""
    routes = (*request.app.routes, *request.app.state.routes)
    found = {method for route in routes for method in _methods(route, request)}
    return tuple(method for method in METHODS if method in found | {"OPTIONS"}) if found else ()


def _methods(route: BaseRoute, request: Request) -> set[str]:
    match, _ = route.matches(request.scope)
    return set() if match is Match.NONE else set(getattr(route, "methods", None) or ())

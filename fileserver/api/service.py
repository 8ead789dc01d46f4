"""What every route needs, kept on the application and handed out typed."""

from dataclasses import dataclass

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from fileserver.delivery.asgi import App
from fileserver.metrics import Metrics
from fileserver.settings import Settings
from storage import Library


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `create_app` joined."""

    library: Library
    settings: Settings
    metrics: Metrics


def service_of(request: Request) -> Service:
    """The service of the application that a request came to."""
    service: Service = request.app.state.service
    return service


class Answer(Response):
    """An ASGI application as the answer of a FastAPI route."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        await self._app(scope, receive, send)

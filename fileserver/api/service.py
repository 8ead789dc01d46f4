"""What every route needs, kept on the application and handed out typed."""

from dataclasses import dataclass, field

import anyio
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from fileserver.api.readmes import Readmes
from fileserver.delivery.asgi import App
from fileserver.delivery.derivatives import Derivatives
from fileserver.delivery.faststart import Layouts
from fileserver.delivery.subtitles import Sidecars
from fileserver.delivery.workshop import Workshop
from fileserver.metrics import Metrics
from fileserver.settings import Settings
from storage import Library, Uploads


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `create_app` joined. `stopping` is set when the server is told to stop: what has no end ends."""

    library: Library
    uploads: Uploads
    settings: Settings
    metrics: Metrics
    workshop: Workshop
    derivatives: Derivatives
    sidecars: Sidecars
    layouts: Layouts = field(default_factory=Layouts)
    readmes: Readmes = field(default_factory=Readmes)
    stopping: anyio.Event = field(default_factory=anyio.Event)


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

"""Start the service with these settings, in this process or in several, and stay until it is told to stop."""

import asyncio
import resource
from collections.abc import Callable
from functools import partial

from fileserver.server.listening import listening, urls
from fileserver.server.logs import configure_logs
from fileserver.server.serving import serve
from fileserver.server.supervisor import supervise
from fileserver.settings import Settings

APP = "fileserver.app:create_app"
"""The factory of the application, by name: worker processes import it for themselves."""


def run(settings: Settings, *, announce: Callable[[tuple[str, ...]], None], app: str = APP) -> None:
    """Serve until a signal says stop.

    `announce` is called once with the URLs, as soon as requests are answered. `app` names a factory that makes an ASGI
    application of the settings. Raises CannotListen and ApplicationFailed.
    """
    with listening(settings) as sockets:
        say = partial(announce, urls(settings, sockets))
        configure_logs(settings)
        _raise_descriptor_limit()
        if settings.workers > 1:
            asyncio.run(supervise(settings, sockets, app=app, on_started=say))
        else:
            serve(settings, sockets, app=app, on_started=say)


def _raise_descriptor_limit() -> None:
    """Allow as many open files as this process may: a download holds two, and the usual 1024 are soon gone.

    The low limit is for programs that call select(2), which we do not. Worker processes inherit it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

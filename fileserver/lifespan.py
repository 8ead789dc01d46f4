"""What an application and its server tell one another beyond ASGI, by the state of the lifespan."""

STOPPING = "fileserver.stopping"
"""What the server calls when it is told to stop, so that answers without an end end; takes nothing, returns at once."""


class Stopped(Exception):
    """The server was told to stop while an answer was on its way."""

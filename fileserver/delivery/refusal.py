"""An answer that comes before the request's body has been read (RFC 9112 s.9.6).

Left alone, the server would go on reading the rest, all ten gigabytes of it, to keep the connection. Closing at once is
no better: bytes that arrive at a closed socket reset it, and the client loses the answer. So the answer says
`Connection: close`, the rest is read for a short while, and then the connection ends.
"""

import anyio

from fileserver.delivery.asgi import App, Message, Receive, Scope, Send

_BODY = ("http.response.body", "http.response.zerocopysend")

LINGER_BYTES = 1 << 20
LINGER_S = 2.0


class CloseEarlyAnswers:
    """Middleware around the whole application."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests with a body through an exchange that watches how much of it was read."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_body_pending = True
        self._is_closing = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_body_pending = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._is_body_pending:
            self._is_closing = True
            message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        is_last = message["type"] in _BODY and not message.get("more_body", False)
        if is_last and self._is_closing and self._is_body_pending:
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _linger(self) -> None:
        unread = LINGER_BYTES
        with anyio.move_on_after(LINGER_S):
            while self._is_body_pending and unread > 0:
                unread -= len((await self.receive()).get("body", b""))


def _has_body(scope: Scope) -> bool:
    fields = dict(scope["headers"])
    return b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0"

"""An application that answers with the ASGI messages it is asked for, and writes down what became of each.

The query is a JSON list of messages as an application would send them, in JSON's means: bytes are strings, and a `body`
may be a number, so many known bytes. The `file` of a zero-copy message is a name in the folder: it is opened for the
request and closed after it. It is handed over as a descriptor; with `"handed": "object"` as an object, with `"shared"`
as the one object that all requests have. Any message may have `within_s`, the time that its sending may take, and
`goes_on`: whether the application does as if nothing had happened when its sending fails. Three kinds are no messages:
`seek` moves the position of a `file`, `receive` waits for the client's next message, `wait` for a file of the `name`.

/scope answers with what the scope says, to anybody who does not ask for more. Each script that ended is a line of the
file `record`: the path, and for each message None or the names of the error's classes.
"""

import asyncio
import json
import os
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fileserver.delivery.asgi import Message, Receive, Scope, Send
from tests.support.files import known_bytes
from tests.support.scripted import FOLDER_VARIABLE

_OWN_WORDS = {"handed", "within_s", "goes_on"}
_shared: dict[Path, FileIO] = {}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The application."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    if scope["path"] == "/scope":
        await _tell(scope, send)
        return
    outcomes: list[list[str] | None] = []
    with ExitStack() as stack:
        script = _Script(folder, stack, receive, send)
        try:
            for step in json.loads(unquote(scope["query_string"].decode())):
                await script.attempt(step, outcomes)
        finally:
            stack.close()
            with (folder / "record").open("a") as record:
                record.write(json.dumps({"path": scope["path"], "outcomes": outcomes}) + "\n")


async def _tell(scope: Scope, send: Send) -> None:
    known = {name: scope[name] for name in ("extensions", "http_version", "scheme")}
    content = json.dumps({**known, "spec_version": scope["asgi"]["spec_version"]}).encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


class _Script:
    """One answer on its way."""

    def __init__(self, folder: Path, stack: ExitStack, receive: Receive, send: Send) -> None:
        self._folder = folder
        self._stack = stack
        self._receive = receive
        self._send = send
        self._files: dict[str, FileIO] = {}

    async def attempt(self, step: dict[str, Any], outcomes: list[list[str] | None]) -> None:
        """Take a step, and write down how it ended."""
        try:
            async with asyncio.timeout(step.get("within_s")):
                await self._take(step)
        except BaseException as error:  # of any kind, for the test to judge
            outcomes.append([kind.__name__ for kind in type(error).__mro__])
            if not step.get("goes_on"):
                raise
        else:
            outcomes.append(None)

    async def _take(self, step: dict[str, Any]) -> None:
        match step["type"]:
            case "seek":
                os.lseek(self._file(step).fileno(), step["position"], os.SEEK_SET)
            case "receive":
                await self._receive()
            case "wait":
                while not (self._folder / step["name"]).exists():
                    await asyncio.sleep(0.01)
            case _:
                await self._send(self._message(step))

    def _message(self, step: dict[str, Any]) -> Message:
        message = {name: value for name, value in step.items() if name not in _OWN_WORDS}
        if "headers" in message:
            message["headers"] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in step["headers"]]
        if "body" in message:
            message["body"] = known_bytes(step["body"]) if isinstance(step["body"], int) else step["body"].encode()
        if "file" in message:
            file = self._file(step)
            message["file"] = file if "handed" in step else file.fileno()
        return message

    def _file(self, step: dict[str, Any]) -> FileIO:
        path = self._folder / step["file"]
        if step.get("handed") == "shared":
            if path not in _shared:
                _shared[path] = FileIO(path)
            return _shared[path]
        if step["file"] not in self._files:
            self._files[step["file"]] = self._stack.enter_context(FileIO(path))
        return self._files[step["file"]]

"""tus-js-client, run by node: one upload for each call."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.clients import run

_DRIVER = Path(__file__).with_name("upload.mjs")


@dataclass(frozen=True, slots=True)
class Sent:
    """How the upload ended, as the client saw it."""

    ended: str
    """`success`, `error`, `left` (aborted and not gone on with) or `terminated`."""
    url: str | None
    error: str | None
    fields: dict[str, str]
    """The last answer's, by lower-case name."""
    requests: tuple[tuple[str, int, int | None], ...]
    """Method, status and Upload-Offset of every answered request, in order."""

    @property
    def offsets(self) -> list[int]:
        """The offsets that the server told, in order."""
        return [offset for _, _, offset in self.requests if offset is not None]


def upload(
    file: Path,
    *,
    given_as: str = "file",
    urls: Path | None = None,
    stop_after: int | None = None,
    after_stop: str = "leave",
    **options: Any,
) -> Sent:
    """Upload a file with the client's own `options`; it does not retry unless they say so.

    `given_as` is how the client gets it: as a `file` stream, a `buffer` or a plain `stream`. `urls` is a file in which
    it remembers uploads and looks for one to go on with. It aborts after `stop_after` sent bytes, and then is to
    `leave`, `resume` or `terminate`.
    """
    told: dict[str, Any] = {"file": str(file), "input": given_as, "urls": urls and str(urls)}
    told |= {"stopAfter": stop_after, "afterStop": after_stop, "options": {"retryDelays": None} | options}
    done = run("node", _DRIVER, json.dumps(told))
    assert done.code == 0, done.errors
    said = json.loads(done.text)
    answered = tuple((each["method"], each["status"], _number(each["offset"])) for each in said["requests"])
    return Sent(said["ended"], said["url"], said["error"], said["fields"], answered)


def _number(offset: str | None) -> int | None:
    return None if offset is None else int(offset)

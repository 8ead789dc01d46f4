"""What virtual files share: an answer decided like that of a stored file, and sent from other bytes."""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from fileserver.delivery.asgi import Scope
from fileserver.delivery.download import PRIVATE, representation_of
from fileserver.delivery.media_answer import FOR_GOOD, Replaced, version_of
from fileserver.http.decisions import Decision, Representation, decide
from fileserver.http.entity_tags import EntityTag
from fileserver.http.fields import Fields
from fileserver.http.ranges import Span
from storage import Entry, Library, Reader


async def described(library: Library, reader: Reader, version: str | None) -> Entry:
    """What is known of an opened file. Raises Replaced where it is not the version that was asked about."""
    entry = await library.describe(reader)
    if version is not None and version != version_of(entry):
        raise Replaced(entry.key)
    return entry


def virtual_file(entry: Entry, kind: str, size: int) -> Representation:
    """What HTTP needs to know of a virtual file made of a stored one: its digest is nobody's."""
    etag = EntityTag(f"{entry.etag}-{kind}", is_weak=False)
    return replace(representation_of(entry), size=size, etag=etag, sha256=None)


def decision_of(scope: Scope, file: Representation, *, attachment: str | None, version: str | None) -> Decision:
    """The answer to a request for a virtual file, for good where the address names the version."""
    fields = Fields.from_asgi(scope["headers"])
    return decide(
        scope["method"],
        fields,
        file,
        now_s=int(time.time()),
        attachment=attachment,
        cache_control=PRIVATE if version is None else FOR_GOOD,
        boundary=secrets.token_hex(16) if "," in (fields.joined("range") or "") else "",
    )


def made_of(decision: Decision, parts: Callable[[Span], Iterable[bytes | Span]]) -> Decision:
    """The same answer with each span of the virtual file as the parts that it is made of."""
    body = (made for part in decision.body for made in ((part,) if isinstance(part, bytes) else parts(part)))
    return replace(decision, body=tuple(body))

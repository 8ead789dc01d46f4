"""What everything that is made of a stored file shares: its version, and an answer that is sent from other bytes.

Who asks for a version that is not there any more is told so: what was made of another version would not fit to what the
client has.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from fileserver.delivery.derivatives import Derivative, name_of
from fileserver.delivery.download import PRIVATE, representation_of
from fileserver.http.decisions import Decision, Representation
from fileserver.http.entity_tags import EntityTag
from fileserver.http.ranges import Span
from storage import Entry, Library, Reader

FOR_GOOD = "private, max-age=31536000, immutable"
"""Cache-Control where the address names the version (RFC 8246)."""

_VERSION_SIZE = 16
_ALL = Derivative("all")


class Replaced(Exception):
    """The file is not the version that was asked about."""


def version_of(entry: Entry) -> str:
    """What stands in addresses for a version of a file that was described, and for what it is worked on with."""
    return name_of(entry, _ALL)[:_VERSION_SIZE]


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


def keeping_of(version: str | None) -> str:
    """The Cache-Control of an answer: for good where its address names the version."""
    return PRIVATE if version is None else FOR_GOOD


def made_of(decision: Decision, parts: Callable[[Span], Iterable[bytes | Span]]) -> Decision:
    """The same answer with each span of the virtual file as the parts that it is made of."""
    body = (made for part in decision.body for made in ((part,) if isinstance(part, bytes) else parts(part)))
    return replace(decision, body=tuple(body))

"""What the protocols of resumable uploads have in common: the state of an upload, and how a request can be wrong."""

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


class MalformedUpload(ValueError):
    """A field of the protocol is missing, breaks its grammar or contradicts another; the text says which."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload as a client may see it. `metadata` and `concat` are fields of tus, as they came."""

    offset: int
    length: int | None
    is_complete: bool
    expires_at_s: int
    metadata: str = ""
    concat: str = ""

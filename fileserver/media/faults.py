"""What can go wrong when a file is worked on as media. No statuses here: the service has one table for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(eq=False)
class MediaFault(Exception):
    """`detail` is a sentence for people, of our own words and no file's."""

    detail: str

    code: ClassVar[str]

    def __str__(self) -> str:
        return self.detail


class NotMedia(MediaFault):
    """The file is of a kind that holds neither sound nor pictures."""

    code = "not-media"


class DamagedMedia(MediaFault):
    """The file is of such a kind, but cannot be read as what it claims to be."""

    code = "damaged-media"


class NoSuchTrack(MediaFault):
    """The file has no such track, segment, chapter, cover or picture."""

    code = "no-such-track"


class CannotConvert(MediaFault):
    """The file can be read, yet not be made into what was asked for."""

    code = "cannot-convert"


class MediaOutOfMemory(MediaFault):
    """It takes more memory than a worker may use."""

    code = "media-out-of-memory"


class MediaOutOfTime(MediaFault):
    """It takes longer than a worker may take."""

    code = "media-out-of-time"


class MediaEngineFailed(MediaFault):
    """The worker ended before its work did."""

    code = "media-engine-failed"


class MediaBusy(MediaFault):
    """Too many others wait for a worker."""

    code = "media-busy"


class MediaMissing(MediaFault):
    """What works on media is not installed."""

    code = "media-missing"


_FAULTS: dict[str, type[MediaFault]] = {
    kind.code: kind
    for kind in (
        NotMedia,
        DamagedMedia,
        NoSuchTrack,
        CannotConvert,
        MediaOutOfMemory,
        MediaOutOfTime,
        MediaEngineFailed,
        MediaBusy,
        MediaMissing,
    )
}


def fault_of(message: Mapping[str, Any]) -> MediaFault:
    """The fault that a worker told of.

    >>> fault_of({"code": "no-such-track", "detail": "there is no cover"})
    NoSuchTrack(detail='there is no cover')
    """
    return _FAULTS.get(str(message["code"]), MediaEngineFailed)(str(message["detail"]))

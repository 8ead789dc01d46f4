"""What a file is, and how it plays. No HTTP, no storage.

What is named here is for the server. `engine` is the workers' alone: nothing outside of it imports it, and so the
server never loads the libraries that chew on a stranger's bytes.
"""

from fileserver.media.detection import HEAD_SIZE, detect
from fileserver.media.faults import (
    CannotConvert,
    DamagedMedia,
    MediaBusy,
    MediaEngineFailed,
    MediaFault,
    MediaMissing,
    MediaOutOfMemory,
    MediaOutOfTime,
    NoSuchTrack,
    NotMedia,
    fault_of,
)

__all__ = [
    "HEAD_SIZE",
    "CannotConvert",
    "DamagedMedia",
    "MediaBusy",
    "MediaEngineFailed",
    "MediaFault",
    "MediaMissing",
    "MediaOutOfMemory",
    "MediaOutOfTime",
    "NoSuchTrack",
    "NotMedia",
    "detect",
    "fault_of",
]

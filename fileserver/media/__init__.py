"""What a file is. Bytes and a name in, a media type out: no HTTP, no storage."""

from fileserver.media.detection import HEAD_SIZE, detect

__all__ = ["HEAD_SIZE", "detect"]

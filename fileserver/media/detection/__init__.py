"""What a file is: its bytes and its name in, a media type out."""

from fileserver.media.detection.policy import HEAD_SIZE, detect

__all__ = ["HEAD_SIZE", "detect"]

"""The derivative `segment`: of whatever track the terms name."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from fileserver.media.engine.sound.audio import audio_segment
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.video import video_segment
from fileserver.media.faults import NoSuchTrack


def segment(source: Source, terms: Mapping[str, Any], product: BinaryIO) -> None:
    """Segment `n` of `track`: what lies between the cuts `start` and `end`. Raises NoSuchTrack, CannotConvert."""
    match terms["track"]["kind"]:
        case "video":
            video_segment(source, terms, product)
        case "audio":
            audio_segment(source, terms, product)
        case _:
            raise NoSuchTrack("subtitles are no MP4")

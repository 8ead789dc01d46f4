"""The init segments of tracks that are copied, and of sound that is converted: the index knows all that is in them."""

import base64
import struct

from fileserver.media.fmp4.audio_entries import UnknownConfig, audio_entry
from fileserver.media.fmp4.segments import TrackHead, init_segment
from fileserver.media.index import BrokenIndex, Track


def track_init(track: Track) -> bytes:
    """What players need before any segment of a track. Raises BrokenIndex: a worker may have written anything."""
    try:
        return init_segment(_film_head(track) if track["kind"] == "video" else _sound_head(track))
    except (KeyError, OverflowError, TypeError, UnknownConfig, ValueError, struct.error) as error:
        raise BrokenIndex("a track has no configuration") from error


def _film_head(track: Track) -> TrackHead:
    width, height, rotation = track["shown"]
    entry = base64.b64decode(track["entry"])
    return TrackHead(True, track["timescale"], entry, width, height, rotation, track["delay"])


def _sound_head(track: Track) -> TrackHead:
    name = track["codec_name"] if track["how"] == "copy" else "aac"
    entry = audio_entry(name, bytes.fromhex(track["config"]), track["sample_rate"], track["channels"])
    return TrackHead(is_video=False, timescale=track["sample_rate"], entry=entry)

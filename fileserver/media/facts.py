"""What is found in a media file, in the shape and the words of ffprobe's JSON. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

MOST_CHAPTERS = 1000
MOST_TAGS = 200
LONGEST_TAG = 4096
"""In characters, as are names and titles: enough for a description of a podcast, too little for a novel."""
LONGEST_TITLE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What holds for the file as a whole."""

    format_name: str
    duration: float | None
    """None where nothing tells, and of stills."""
    start_time: float
    bit_rate: int | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What holds for a stream of any kind."""

    id: str
    """The kind's first letter and the index: `v0`, `a1`."""
    index: int
    codec_name: str
    codecs: str | None
    """By the name that players know, see `codec_strings`."""
    profile: str | None
    time_base: str | None
    duration: float | None
    bit_rate: int | None
    language: str | None
    """As the file has it: ISO 639-2 mostly, BCP 47 at times; None where it says `und`."""
    title: str | None
    disposition: Mapping[str, bool]
    """Of FFmpeg's flags those that are set, and `default` always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack(Track):
    """Moving pictures, or a still one."""

    codec_type: Literal["video"] = "video"
    width: int
    height: int
    """Both 0 where nothing here decodes the stream, as `channels` are."""
    rotation: int
    """How many degrees clockwise the picture is turned before it is shown: 0, 90, 180, 270."""
    sample_aspect_ratio: str
    frame_rate: float | None
    pix_fmt: str | None
    is_hdr: bool
    is_interlaced: bool
    is_cover: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack(Track):
    """Sound."""

    codec_type: Literal["audio"] = "audio"
    channels: int
    channel_layout: str
    sample_rate: int
    bits_per_sample: int | None
    """Of lossless codings; None elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitleTrack(Track):
    """Words over the pictures, as text or as pictures themselves."""

    codec_type: Literal["subtitle"] = "subtitle"
    is_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTrack(Track):
    """Fonts, timecodes and what else a container carries."""

    codec_type: Literal["attachment", "data"]


AnyTrack: TypeAlias = VideoTrack | AudioTrack | SubtitleTrack | OtherTrack


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A named part of the file."""

    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it. `is_index_last` tells of an MP4 whose index follows the media: virtual faststart helps it."""

    format: Format
    streams: tuple[AnyTrack, ...]
    chapters: tuple[Chapter, ...]
    is_index_last: bool = False

    @property
    def films(self) -> tuple[VideoTrack, ...]:
        """The moving pictures: no covers."""
        return tuple(track for track in self.streams if isinstance(track, VideoTrack) and not track.is_cover)

    @property
    def sounds(self) -> tuple[AudioTrack, ...]:
        """The tracks of sound."""
        return tuple(track for track in self.streams if isinstance(track, AudioTrack))

    @property
    def subtitles(self) -> tuple[SubtitleTrack, ...]:
        """The tracks of subtitles."""
        return tuple(track for track in self.streams if isinstance(track, SubtitleTrack))

"""Films and sounds as people have them, made by FFmpeg: about a minute long, some tens of megabytes, seconds to make.

Noise makes them large at a small picture size, so that a seek near the end can be told from a fetch of the whole.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

DURATION_S = 64

_PICTURE = f"testsrc2=size=320x180:rate=12:duration={DURATION_S},noise=alls=100:allf=t"
_TONE = f"sine=frequency=440:duration={DURATION_S}"
# Two noises, since FLAC stores equal channels once.
_CHANNEL = f"anoisesrc=duration={DURATION_S}:colour=white:sample_rate=96000:seed="
_NOISE = f"{_CHANNEL}1[left];{_CHANNEL}2[right];[left][right]amerge,aformat=s32"
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "6M", "-g", "24", "-pix_fmt", "yuv420p", "-c:a", "aac")
_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-b:v", "5M", "-g", "24", "-c:a", "libopus")


@dataclass(frozen=True, slots=True)
class Sample:
    """One media file and what an element needs to play it."""

    path: Path
    element: str
    """`video` or `audio`."""

    @property
    def name(self) -> str:
        """The file's name, which is its key as well."""
        return self.path.name


SAMPLE_NAMES = ("index-at-end.mp4", "index-at-front.mp4", "film.webm", "constant.mp3", "variable.mp3", "sound.flac")


def make_samples(folder: Path) -> dict[str, Sample]:
    """Make every sample in `folder` and return them by name."""
    paths = {name: folder / name for name in SAMPLE_NAMES}
    film = _inputs(_PICTURE, _TONE)
    noise = _inputs(_NOISE)
    _ffmpeg(*film, *_H264, paths["index-at-end.mp4"])
    _ffmpeg("-i", paths["index-at-end.mp4"], "-c", "copy", "-movflags", "+faststart", paths["index-at-front.mp4"])
    _ffmpeg(*film, *_VP8, paths["film.webm"])
    _ffmpeg(*noise, "-ar", "44100", "-c:a", "libmp3lame", "-b:a", "192k", paths["constant.mp3"])
    _ffmpeg(*noise, "-ar", "44100", "-c:a", "libmp3lame", "-q:a", "2", paths["variable.mp3"])
    _ffmpeg(*noise, "-c:a", "flac", "-sample_fmt", "s32", paths["sound.flac"])
    return {
        name: Sample(path, "video" if path.suffix in (".mp4", ".webm") else "audio") for name, path in paths.items()
    }


def _inputs(*sources: str) -> tuple[str, ...]:
    return tuple(word for source in sources for word in ("-f", "lavfi", "-i", source))


def _ffmpeg(*words: str | Path) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)]
    subprocess.run(command, check=True, timeout=60)

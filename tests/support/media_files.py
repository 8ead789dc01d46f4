"""Media files as people have them, one of each kind that is told apart: made by FFmpeg, small and short.

`MATRIX` has every name with how it is made, `made` makes one. Pictures move and sound is heard from the first to the
last second; there is a keyframe every two seconds. What several files hold is encoded once, and then copied.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DURATION_S = 24
FRAME_RATE = 25  # 40 ms a frame: exact in the clock of every container, Matroska's milliseconds included
WIDTH, HEIGHT = 320, 180

_PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FRAME_RATE}:duration={DURATION_S}")
_LOUDNESS = "0.3*sin(2*PI*{pitch}*t)*(1+0.3*sin(2*PI*t))"
PITCHES = (440, 660, 550, 80, 330, 880)
"""One for each channel, so that none can be taken for another. The fourth is the low one of 5.1."""


def _sound(channels: int = 2, rate: int = 48_000) -> tuple[str, ...]:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    waves = "|".join(_LOUDNESS.format(pitch=pitch) for pitch in PITCHES[:channels])
    return ("-f", "lavfi", "-i", f"aevalsrc='{waves}':channel_layout={layout}:sample_rate={rate}:duration={DURATION_S}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How FFmpeg makes a file: all its words but the file's name. A word `part:NAME` is the path of that part."""

    kind: Literal["video", "audio"]
    """Which element plays it."""
    video: str | None
    """FFmpeg's name of what its pictures are coded in."""
    audio: str | None
    """FFmpeg's name of what its (first) sound is coded in."""
    words: tuple[str, ...]


_GOP = ("-g", "50", "-keyint_min", "50", "-pix_fmt", "yuv420p")
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", *_GOP, "-x264-params")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-bf", "2", *_GOP, "-tag:v", "hvc1", "-x265-params")
_CLOSED_265 = "log-level=none:pools=1:keyint=50:min-keyint=50:scenecut=0:open-gop=0"
_OPEN_265 = _CLOSED_265.replace("open-gop=0", "open-gop=1")

_PARTS: dict[str, tuple[str, ...]] = {
    "h264.mp4": (*_PICTURE, *_X264, "scenecut=0:b-adapt=0"),
    "open.mp4": (*_PICTURE, *_X264, "scenecut=0:b-adapt=0:open-gop=1"),
    "interlaced.mp4": (*_PICTURE, *_X264, "scenecut=0:interlaced=1", "-flags", "+ildct+ilme"),
    # Every third frame is missing in the first half, every fourth in the second.
    "variable.mp4": (
        *(*_PICTURE, "-vf", "select='if(lt(t,12),mod(n,3),mod(n,4))'", "-fps_mode", "vfr"),
        *(*_X264, "scenecut=0:b-adapt=0", "-force_key_frames", "expr:gte(t,n_forced*2)"),
    ),
    "hevc.mp4": (*_PICTURE, *_X265, _CLOSED_265),
    "hevc-open.mp4": (*_PICTURE, *_X265, _OPEN_265),
    "av1.mp4": (*_PICTURE, "-c:v", "libsvtav1", "-preset", "12", *_GOP, "-svtav1-params", "lp=1"),
    "vp9.webm": (*_PICTURE, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", *_GOP),
    "vp8.webm": (*_PICTURE, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", *_GOP),
    "cover.jpg": ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1:duration=1", "-frames:v", "1"),
}
"""What several files hold, by the name of the file that it is kept in."""

CHAPTERS = ((0, 8, "One"), (8, 16, "Two"), (16, DURATION_S, "Three: the end"))
"""From, to (seconds) and title of each."""

CUES = ((1, 3, "Good <i>morning</i>"), (5, 8, "Across the first cut"), (14, 16, "Then"), (21, 23, "Goodbye"))
"""From, to (seconds) and text of each cue of `english.srt`; the other parts have the same times."""


def _stamp(seconds: int, *, comma: str) -> str:
    return f"00:00:{seconds:02}{comma}000"


def _srt(*, prefix: str = "") -> str:
    return "\n".join(
        f"{number}\n{_stamp(start, comma=',')} --> {_stamp(end, comma=',')}\n{prefix}{text}\n"
        for number, (start, end, text) in enumerate(CUES, 1)
    )


def _ass() -> str:
    head = (
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Sans,20\n"
    )
    events = "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    lines = (f"Dialogue: 0,0:00:{start:02}.00,0:00:{end:02}.00,Default,,0,0,0,,{{\\b1}}ASS{{\\b0}}\\N{text}\n"
             for start, end, text in CUES)  # fmt: skip
    return head + events + "".join(lines)


def _chapters() -> str:
    chapters = (f"[CHAPTER]\nTIMEBASE=1/1\nSTART={a}\nEND={b}\ntitle={title}\n" for a, b, title in CHAPTERS)
    return ";FFMETADATA1\ntitle=A book\n" + "".join(chapters)


_TEXTS = {"english.srt": _srt(), "german.srt": _srt(prefix="de: "), "styled.ass": _ass(), "chapters.txt": _chapters()}

_AUDIO: dict[str, tuple[str, ...]] = {
    "aac": ("-c:a", "aac"),
    "ac3": ("-c:a", "ac3"),
    "alac": ("-c:a", "alac"),
    "dts": ("-c:a", "dca", "-strict", "-2"),
    "eac3": ("-c:a", "eac3"),
    "flac": ("-c:a", "flac", "-strict", "-2"),
    "mp2": ("-c:a", "mp2"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "opus": ("-c:a", "libopus", "-strict", "-2"),
    "pcm_s16be": ("-c:a", "pcm_s16be"),
    "pcm_s16le": ("-c:a", "pcm_s16le"),
    "pcm_s24le": ("-c:a", "pcm_s24le"),
    "pcm_f32le": ("-c:a", "pcm_f32le"),
    "speex": ("-c:a", "libspeex", "-ar", "32000"),
    "truehd": ("-c:a", "truehd", "-strict", "-2"),
    "tta": ("-c:a", "tta"),
    "vorbis": ("-c:a", "libvorbis"),
    "wavpack": ("-c:a", "wavpack"),
    "wmav2": ("-c:a", "wmav2"),
}

_ENCODED: dict[str, tuple[str, ...]] = {
    "flv1": ("-c:v", "flv1"),
    "h263": ("-c:v", "h263", "-s", "352x288"),
    "mjpeg": ("-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p"),
    "mpeg1video": ("-c:v", "mpeg1video", "-bf", "2"),
    "mpeg2video": ("-c:v", "mpeg2video", "-bf", "2"),
    "mpeg4": ("-c:v", "mpeg4", "-bf", "2", "-q:v", "6"),
    "prores": ("-c:v", "prores_ks", "-profile:v", "0"),
    "theora": ("-c:v", "libtheora", "-q:v", "5"),
    "wmv2": ("-c:v", "wmv2"),
}
"""Pictures that one or two files hold, encoded for each."""

_BOTH = ("-map", "0:v:0", "-map", "1:a:0")


def _film(part: str, audio: str | None, *more: str, channels: int = 2) -> Recipe:
    """The pictures of a part, or of an encoder, with sound of a kind."""
    encoder = _ENCODED.get(part)
    pictures = _PICTURE if encoder else ("-i", f"part:{part}")
    coding = (*encoder, "-g", "50") if encoder else ("-c:v", "copy")
    video = part if encoder else _CODED.get(part, "h264")
    sound = (*_sound(channels), *_BOTH, *_AUDIO[audio]) if audio else ()
    return Recipe("video", video, audio, (*pictures, *sound, *coding, *more))


_CODED = {"hevc.mp4": "hevc", "hevc-open.mp4": "hevc", "av1.mp4": "av1", "vp9.webm": "vp9", "vp8.webm": "vp8"}


def _song(audio: str, *more: str, channels: int = 2, rate: int = 48_000, beside: str | None = None) -> Recipe:
    """Sound alone; `beside` is a part that its cover or its chapters come from."""
    inputs = (*_sound(channels, rate), *(("-i", f"part:{beside}") if beside else ()))
    return Recipe("audio", None, audio, (*inputs, *_AUDIO[audio], *more))


def _with_languages(audio: str, subtitles: tuple[str, ...]) -> Recipe:
    """A film in English and German, with subtitles in English, German (styled, forced) and chapters."""
    inputs = ("-i", "part:h264.mp4", *_sound(), *_sound(1))
    texts = ("-i", "part:english.srt", "-i", "part:styled.ass", "-i", "part:chapters.txt")
    maps = tuple(word for number in range(5) for word in ("-map", str(number)))
    names = (
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:a:1", "title=Deutsch"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger", "-metadata", "title=In two languages"),
        *("-disposition:a:0", "default", "-disposition:a:1", "0", "-disposition:s:1", "forced"),
    )
    coding = ("-c:v", "copy", *_AUDIO[audio], *subtitles)
    return Recipe("video", "h264", audio, (*inputs, *texts, *maps, "-map_chapters", "5", *coding, *names))


_H264 = "h264.mp4"
_COVER = ("-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v:0", "attached_pic")
_TAGS = ("-metadata", "title=A song", "-metadata", "artist=Nobody", "-metadata", "album=Tones")
_BOOK = ("-map", "0:a", "-map_metadata", "1", "-map_chapters", "1", "-f", "mp4")

MATRIX: dict[str, Recipe] = {
    # ISO base media
    "index-at-end.mp4": _film(_H264, "aac"),
    "index-at-front.mp4": _film(_H264, "aac", "-movflags", "+faststart"),
    "fragmented.mp4": _film(_H264, "aac", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
    "h264-aac.mov": _film(_H264, "aac"),
    "h264-aac.3gp": _film(_H264, "aac"),
    "h264-ac3.mp4": _film(_H264, "ac3"),
    "h264-eac3.mp4": _film(_H264, "eac3"),
    "h264-mp3.mp4": _film(_H264, "mp3"),
    "h264-opus.mp4": _film(_H264, "opus"),
    "h264-flac.mp4": _film(_H264, "flac"),
    "h264-alac.mov": _film(_H264, "alac"),
    "h264-pcm.mov": _film(_H264, "pcm_s16le"),
    "h264-surround.mp4": _film(_H264, "aac", channels=6),
    "h264-silent.mp4": _film(_H264, None),
    "rotated.mp4": _film(_H264, "aac", "-metadata:s:v:0", "rotate=90"),
    "open-gop.mp4": _film("open.mp4", "aac"),
    "variable-rate.mp4": _film("variable.mp4", "aac"),
    "hevc-aac.mp4": _film("hevc.mp4", "aac", "-tag:v", "hvc1"),
    "av1-opus.mp4": _film("av1.mp4", "opus"),
    "vp9-opus.mp4": _film("vp9.webm", "opus"),
    "mpeg4-aac.mp4": _film("mpeg4", "aac"),
    "prores-pcm.mov": _film("prores", "pcm_s24le"),
    "h263-aac.3gp": _film("h263", "aac"),
    "languages.mp4": _with_languages("aac", ("-c:s", "mov_text")),
    # Matroska
    "h264-aac.mkv": _film(_H264, "aac"),
    "h264-ac3.mkv": _film(_H264, "ac3"),
    "h264-eac3.mkv": _film(_H264, "eac3"),
    "h264-dts.mkv": _film(_H264, "dts"),
    "h264-truehd.mkv": _film(_H264, "truehd"),
    "h264-mp3.mkv": _film(_H264, "mp3"),
    "h264-opus.mkv": _film(_H264, "opus"),
    "h264-flac.mkv": _film(_H264, "flac"),
    "h264-vorbis.mkv": _film(_H264, "vorbis"),
    "h264-pcm.mkv": _film(_H264, "pcm_s16le"),
    "h264-surround.mkv": _film(_H264, "ac3", channels=6),
    "open-gop.mkv": _film("open.mp4", "aac"),
    "variable-rate.mkv": _film("variable.mp4", "aac"),
    "hevc-aac.mkv": _film("hevc.mp4", "aac"),
    "hevc-open-gop.mkv": _film("hevc-open.mp4", "ac3"),
    "av1-aac.mkv": _film("av1.mp4", "aac"),
    "vp9-ac3.mkv": _film("vp9.webm", "ac3"),
    "mpeg2-ac3.mkv": _film("mpeg2video", "ac3"),
    "languages.mkv": _with_languages("ac3", ("-c:s:0", "srt", "-c:s:1", "ass")),
    "av1-opus.webm": _film("av1.mp4", "opus"),
    "vp9-opus.webm": _film("vp9.webm", "opus"),
    "vp8-vorbis.webm": _film("vp8.webm", "vorbis"),
    # Transport and program streams
    "h264-aac.ts": _film(_H264, "aac"),
    "h264-ac3.ts": _film(_H264, "ac3"),
    "h264-mp2.ts": _film(_H264, "mp2"),
    "h264-ac3.m2ts": _film(_H264, "ac3", "-mpegts_m2ts_mode", "1"),
    "open-gop.ts": _film("open.mp4", "aac"),
    "interlaced.ts": _film("interlaced.mp4", "mp2"),
    "hevc-ac3.ts": _film("hevc.mp4", "ac3"),
    "mpeg2-mp2.ts": _film("mpeg2video", "mp2"),
    "mpeg1-mp2.mpg": _film("mpeg1video", "mp2"),
    "mpeg2-ac3.vob": _film("mpeg2video", "ac3"),
    # Others
    "h264-mp3.avi": _film(_H264, "mp3"),
    "h264-ac3.avi": _film(_H264, "ac3"),
    "mpeg4-mp3.avi": _film("mpeg4", "mp3", "-vtag", "XVID"),
    "mjpeg-pcm.avi": _film("mjpeg", "pcm_s16le"),
    "h264-aac.flv": _film(_H264, "aac"),
    "flv1-mp3.flv": _film("flv1", "mp3", "-ar", "44100"),
    "wmv2-wma.wmv": _film("wmv2", "wmav2"),
    "mpeg2-pcm.mxf": _film("mpeg2video", "pcm_s16le"),
    "theora-vorbis.ogv": _film("theora", "vorbis"),
    # Sound
    "song.aac": _song("aac"),
    "song.m4a": _song("aac", *_TAGS),
    "alac.m4a": _song("alac", rate=44_100),
    "book.m4b": _song("aac", *_BOOK, channels=1, rate=22_050, beside="chapters.txt"),
    "song.flac": _song("flac", *_COVER, *_TAGS, rate=44_100, beside="cover.jpg"),
    "high.flac": _song("flac", "-sample_fmt", "s32", rate=96_000),
    "flac.oga": _song("flac"),
    "song.opus": _song("opus"),
    "song.ogg": _song("vorbis", *_TAGS, rate=44_100),
    "song.spx": _song("speex", channels=1, rate=32_000),
    "song.mp3": _song("mp3", *_COVER, *_TAGS, "-id3v2_version", "3", rate=44_100, beside="cover.jpg"),
    "variable.mp3": _song("mp3", "-q:a", "4"),
    "song.mp2": _song("mp2"),
    "song.ac3": _song("ac3"),
    "song.eac3": _song("eac3"),
    "song.dts": _song("dts"),
    "song.wav": _song("pcm_s16le", rate=44_100),
    "deep.wav": _song("pcm_s24le", channels=6),
    "float.wav": _song("pcm_f32le"),
    "long.w64": _song("pcm_s16le"),
    "large.wav": _song("pcm_s16le", "-rf64", "always"),
    "song.aiff": _song("pcm_s16be"),
    "song.au": _song("pcm_s16be"),
    "song.caf": _song("pcm_s16le"),
    "alac.caf": _song("alac"),
    "song.wma": _song("wmav2", rate=44_100),
    "song.wv": _song("wavpack"),
    "song.tta": _song("tta", rate=44_100),
    "flac.mka": _song("flac"),
    "dts.mka": _song("dts"),
    "song.weba": _song("opus", "-f", "webm"),
}
"""Every file, by name."""


def made(name: str, folder: Path) -> Path:
    """The file of that name in `folder`, made if it is not there. KeyError for a name that `MATRIX` does not have."""
    path = folder / name
    if not path.exists():
        _make(path, MATRIX[name].words, _parts_of(folder))
    return path


def linked(names: Iterable[str], folder: Path, root: Path) -> None:
    """Have the files in another folder too, at no cost; made where they are not yet, two at a time."""
    with ThreadPoolExecutor(2) as makers:
        for path in makers.map(lambda name: made(name, folder), names):
            os.link(path, root / path.name)


def text_part(name: str, folder: Path) -> Path:
    """One of the texts that films are made with: `english.srt`, `german.srt`, `styled.ass`, `chapters.txt`."""
    return _part(name, _parts_of(folder))


def shared_folder(base: Path) -> Path:
    """Where everybody has files made who has the same temporary folder, so that each is made once in a run of tests."""
    folder = base / "media-files"
    folder.mkdir(exist_ok=True)
    return folder


def ffmpeg(*words: str | Path) -> None:
    """Run Debian's FFmpeg; CalledProcessError with what it said when it cannot."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)]
    subprocess.run(command, check=True, timeout=120, env={**os.environ, "SVT_LOG": "0"})


def _parts_of(folder: Path) -> Path:
    parts = folder / ".parts"  # names with a dot are no files to a server
    parts.mkdir(exist_ok=True)
    return parts


def _part(name: str, parts: Path) -> Path:
    path = parts / name
    if not path.exists() and name in _TEXTS:
        path.write_text(_TEXTS[name])
    elif not path.exists():
        _make(path, _PARTS[name], parts)
    return path


def _make(path: Path, words: tuple[str, ...], parts: Path) -> None:
    """Whole or not at all: a file half made would be taken for the real one by the next who asks."""
    told = [str(_part(word.removeprefix("part:"), parts)) if word.startswith("part:") else word for word in words]
    with tempfile.TemporaryDirectory(dir=parts) as drafts:
        ffmpeg(*told, Path(drafts) / path.name)
        os.rename(Path(drafts) / path.name, path)

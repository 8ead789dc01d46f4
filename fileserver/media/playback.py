"""How a media file plays: as it is, repacked, or converted; and by which media type a player says whether it can.

A player takes the first entry whose `type` it supports. Errors tell it nothing: browsers play a film whose sound they
lack silently, so each type names the codings of everything that would be played (RFC 6381), and an entry of which
nobody can say that honestly has no type.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fileserver.media import converted_film
from fileserver.media.facts import AudioTrack, Facts, VideoTrack

Href: TypeAlias = Callable[[str], str]
"""Where something of the file is: `file` itself, or what is made of it, by its path below the file's media resource."""

FASTSTART, HLS, HLS_H264, VIRTUAL_WAV = "faststart", "hls/master.m3u8", "hls/master.m3u8?video=h264", "wav"
"""What a `Href` is asked for, beside `file`. The names that end the URLs of the first and last are the caller's."""

Method: TypeAlias = Literal["direct", "remux", "transcode"]

COPIED_VIDEO = frozenset({"av1", "h264", "hevc", "vp9"})
COPIED_AUDIO = frozenset({"aac", "flac", "opus"})
"""What goes into HLS as it is. MP3 is not among it: Chromium's MediaSource takes none within MP4, by any name."""

_COPIED_AAC = frozenset({"mp4a.40.2", "mp4a.40.5", "mp4a.40.29"})
"""LC, and with SBR and PS: players know no other kind."""

_IN_MP4: dict[str | None, str] = {"flac": "fLaC"}
"""What a coding is called there and not elsewhere."""

_AAC = "mp4a.40.2"

_WAV = 'audio/wav; codecs="1"'
_LOSSLESS = frozenset({"alac", "ape", "flac", "tta", "wavpack"})
_INTEGERS = frozenset(
    {"pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_s8", "pcm_u8"}
)

_SELF_EXPLAINING = {
    "audio/aac": frozenset({"aac"}),
    "audio/aiff": _INTEGERS,
    "audio/basic": _INTEGERS,
    "audio/flac": frozenset({"flac"}),
    "audio/mpeg": frozenset({"mp3"}),
    "audio/wav": frozenset({"pcm_f32le"}),
}
"""Kinds that need no `codecs` for these codings: Chromium plays them, and denies it when they are named."""

_ISO_CODECS = ("avc1", "av01", "hvc1", "mp4a.40")
"""What QuickTime shares with MP4, in codings and in boxes. Chromium takes such films as MP4, and none as QuickTime."""


@dataclass(frozen=True, slots=True)
class Playback:
    """One way to play the file. `type` is for canPlayType, and for HLS, whose segments it tells of, isTypeSupported."""

    method: Method
    href: str
    type: str | None
    reasons: tuple[str, ...]


def playback(facts: Facts, media_type: str, href: Href, *, may_transcode: bool = False) -> tuple[Playback, ...]:
    """The ways to play a file of some kind, in the order to try them; none for what neither sounds nor moves.

    `may_transcode` is whether video may be converted.
    """
    if media_type.startswith("image/") or not (facts.films or facts.sounds):
        return ()
    return tuple(_ways(facts, media_type, href, may_transcode=may_transcode))


def _ways(facts: Facts, media_type: str, href: Href, *, may_transcode: bool) -> Iterator[Playback]:
    is_stuck = bool(facts.films) and facts.films[0].codec_name not in COPIED_VIDEO and not may_transcode
    yield _direct(facts, media_type, href, is_stuck=is_stuck)
    if not facts.films:
        yield from _sound(facts, href)
        return
    film = facts.films[0]
    if film.codec_name in COPIED_VIDEO:
        yield _remux(facts, href)
    if may_transcode and film.width:
        yield _transcode(facts, href)


def _direct(facts: Facts, media_type: str, href: Href, *, is_stuck: bool) -> Playback:
    reasons = ["the file as it is"]
    if is_stuck:
        reasons.append("no other way: the server converts no film, which --video-transcode has it do")
    if facts.is_index_last:
        reasons.append("its index, which lies behind the media, is sent first")
    if len(facts.sounds) > 1:
        reasons.append(f"it has {len(facts.sounds)} tracks of sound, of which browsers play one")
    return Playback(
        "direct", href(FASTSTART if facts.is_index_last else "file"), _type(facts, media_type), tuple(reasons)
    )


def _remux(facts: Facts, href: Href) -> Playback:
    film = facts.films[0]
    codecs = film.codecs.replace("hev1.", "hvc1.", 1) if film.codecs else None
    reasons = (f"the pictures ({film.codec_name}) are copied", *_sound_reasons(facts.sounds))
    return Playback("remux", href(HLS), _segments("video/mp4", codecs, _packed(facts)), reasons)


def _transcode(facts: Facts, href: Href) -> Playback:
    reasons = (f"the pictures ({facts.films[0].codec_name}) are converted to H.264", *_sound_reasons(facts.sounds))
    return Playback("transcode", href(HLS_H264), _segments("video/mp4", converted_film.CODECS, _packed(facts)), reasons)


def _packed(facts: Facts) -> tuple[AudioTrack, ...]:
    """The sound that HLS can have: what something here decodes."""
    return tuple(sound for sound in facts.sounds if sound.channels)


def _sound(facts: Facts, href: Href) -> Iterator[Playback]:
    """How a file without pictures plays in other ways than by itself."""
    sounds = _packed(facts)
    if not sounds:
        return
    codec_name = sounds[0].codec_name
    wav = Playback("remux", href(VIRTUAL_WAV), _WAV, (f"the same samples ({codec_name}) in a WAV",))
    if codec_name in _INTEGERS:
        yield wav
    method: Method = "remux" if all(map(_is_copied, sounds)) else "transcode"
    yield Playback(method, href(HLS), _segments("audio/mp4", None, sounds), _sound_reasons(facts.sounds))
    if codec_name in _LOSSLESS:
        yield Playback("transcode", wav.href, wav.type, wav.reasons)


def _sound_reasons(sounds: tuple[AudioTrack, ...]) -> tuple[str, ...]:
    """What becomes of the sound, each coding once."""
    return tuple(dict.fromkeys(f"the sound ({sound.codec_name}) is {_fate(sound)}" for sound in sounds))


def _fate(sound: AudioTrack) -> str:
    if not sound.channels:
        return "left out: nothing here decodes it"
    return "copied" if _is_copied(sound) else "converted to AAC"


def _is_copied(sound: AudioTrack) -> bool:
    return sound.codec_name in COPIED_AUDIO and (sound.codec_name != "aac" or sound.codecs in _COPIED_AAC)


def _segments(kind: str, film: str | None, sounds: tuple[AudioTrack, ...]) -> str | None:
    """The media type of HLS's segments: of all tracks, since each may be chosen."""
    heard = [_IN_MP4.get(sound.codecs, sound.codecs) if _is_copied(sound) else _AAC for sound in sounds]
    return _with_codecs(kind, [*([film] if kind.startswith("video/") else []), *heard])


def _type(facts: Facts, media_type: str) -> str | None:
    """The file's own media type as players know it."""
    tracks = (*_chosen(facts.films), *_chosen(facts.sounds))
    alone = _SELF_EXPLAINING.get(media_type)
    if alone is not None and all(track.codec_name in alone for track in tracks):
        return media_type
    codecs = [track.codecs for track in tracks]
    if media_type == "video/quicktime" and all((name or "").startswith(_ISO_CODECS) for name in codecs):
        media_type = "video/mp4"
    if media_type == "application/ogg":
        media_type = "video/ogg" if facts.films else "audio/ogg"
    return _with_codecs(media_type, codecs)


_Played = VideoTrack | AudioTrack


def _chosen(tracks: tuple[VideoTrack, ...] | tuple[AudioTrack, ...]) -> list[_Played]:
    """Those that a player may take by itself: some take the first, some the one that is marked as default."""
    return [*tracks[:1], *[track for track in tracks[1:] if track.disposition.get("default")]]


def _with_codecs(media_type: str, codecs: list[str | None]) -> str | None:
    """The type with each coding once, or None where one of them has no name.

    >>> _with_codecs("video/mp4", ["avc1.64001f", "mp4a.40.2", "mp4a.40.2"])
    'video/mp4; codecs="avc1.64001f, mp4a.40.2"'
    """
    named = [name for name in dict.fromkeys(codecs) if name]
    return f'{media_type}; codecs="{", ".join(named)}"' if named and None not in codecs else None

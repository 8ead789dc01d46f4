"""HLS playlists of a file's index: a master playlist and one for each track. Pure.

Source: RFC 8216, and Apple's "HLS Authoring Specification". Addresses are relative: a track's parts are in a folder of
its name beside the master playlist. `query` is what they end in, "" or "?v=...".
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from fileserver.media.converted_film import CODECS, converted_size, highest_rate
from fileserver.media.index import TICKS, Index, Track

_HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n"
_UNTOLD_SOUND = 256_000

_CLOSED: Final = frozenset({"vp9", "av1"})
"""Codings whose keyframes never have pictures behind them that need what came before; those of H.264 and HEVC may."""

_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})


def master_playlist(index: Index, query: str, *, video: str | None = None) -> str:
    """The one that a player opens: the film, or the sound alone where there is none that can be shown.

    `video` is `h264` where films are transcoded; else those that cannot be copied are left out.
    """
    film = next((track for track in index.of_kind("video") if video or track["how"] == "copy"), None)
    sounds, texts = index.of_kind("audio"), index.of_kind("subtitle")
    lines = [*_sound_lines(sounds, query, has_film=film is not None), *_text_lines(texts, query)]
    if film is None and sounds:
        lines += _sound_streams(sounds, query, has_texts=bool(texts))
    elif film is not None:
        lines += _film_stream(film, sounds, query, video=video, has_texts=bool(texts))
    return _HEAD + _independent(film, video) + "".join(f"{line}\n" for line in lines)


def media_playlist(index: Index, track: Track, query: str, *, video: str | None = None) -> str:
    """The one that lists a track's segments, for good (RFC 8216 s.4.3.3.5). The lengths come to exactly the track's.

    Times are told in millionths; each is the difference of rounded ones, so that no error adds up.
    """
    cuts = (*index.cuts_of(track), index.end_of(track))
    lengths = [_millionths(later) - _millionths(cut) for cut, later in pairwise(cuts)]
    target = max((length + 500_000) // 1_000_000 for length in lengths)
    ending = "vtt" if track["kind"] == "subtitle" else "m4s"
    lines = [f"#EXT-X-TARGETDURATION:{max(1, target)}", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    if ending == "m4s":
        lines.append(f'#EXT-X-MAP:URI="{_quotable(f"init.mp4{query}")}"')
    for number, length in enumerate(lengths):
        lines += [f"#EXTINF:{length // 1_000_000}.{length % 1_000_000:06},", f"{number}.{ending}{query}"]
    return _HEAD + _independent(track, video) + "".join(f"{line}\n" for line in (*lines, "#EXT-X-ENDLIST"))


def _millionths(ticks: int) -> int:
    return (ticks * 1_000_000 + TICKS // 2) // TICKS


def _independent(film: Track | None, video: str | None) -> str:
    """RFC 8216 s.4.3.5.1: only where every segment can be decoded without any other."""
    is_film = film is not None and film["kind"] == "video"
    is_open = is_film and film is not None and not video and film["codec_name"] not in _CLOSED
    return "" if is_open else "#EXT-X-INDEPENDENT-SEGMENTS\n"


def _sound_lines(sounds: Sequence[Track], query: str, *, has_film: bool) -> Iterator[str]:
    """The tracks of sound as renditions of one group, of which a player plays one."""
    if not has_film and len(sounds) == 1:
        return
    for name, track, is_default in _named(sounds):
        yield _tag(
            "#EXT-X-MEDIA",
            TYPE="AUDIO",
            GROUP_ID=_quoted("audio"),
            NAME=_quoted(name),
            **_language(track),
            DEFAULT="YES" if is_default else "NO",
            AUTOSELECT="YES",
            CHANNELS=_quoted(str(track["channels"])),
            URI=_quoted(f"{track['id']}/index.m3u8{query}"),
        )


def _text_lines(texts: Sequence[Track], query: str) -> Iterator[str]:
    """The subtitles. None is shown unasked but a forced one, which a player chooses by the language of the sound."""
    for name, track, _is_default in _named(texts):
        yield _tag(
            "#EXT-X-MEDIA",
            TYPE="SUBTITLES",
            GROUP_ID=_quoted("subtitles"),
            NAME=_quoted(name),
            **_language(track),
            DEFAULT="NO",
            AUTOSELECT="YES",
            FORCED="YES" if track.get("is_forced") else "NO",
            URI=_quoted(f"{track['id']}/index.m3u8{query}"),
        )


def _film_stream(
    film: Track, sounds: Sequence[Track], query: str, *, video: str | None, has_texts: bool
) -> Iterator[str]:
    sound = max((int(track.get("bandwidth") or _UNTOLD_SOUND) for track in sounds), default=0)
    names = [CODECS if video else film["codecs"], *(track["codecs"] for track in sounds)]
    rate = film.get("frame_rate")
    size, peak, average = (int(film["width"]), int(film["height"])), int(film["peak"]), int(film["bandwidth"])
    if video:
        size = converted_size(size, rate)
        average = highest_rate(size)
        peak = average * 3 // 2
    yield _tag(
        "#EXT-X-STREAM-INF",
        BANDWIDTH=str(max(1, peak + sound)),
        AVERAGE_BANDWIDTH=str(max(1, average + sound)),
        CODECS=_quoted(",".join(dict.fromkeys(names))),
        RESOLUTION=f"{size[0]}x{size[1]}",
        **({"FRAME_RATE": f"{float(rate):.3f}"} if rate else {}),
        **({"AUDIO": _quoted("audio")} if sounds else {}),
        **({"SUBTITLES": _quoted("subtitles")} if has_texts else {}),
    )
    yield f"{film['id']}/index.m3u8{query}"


def _sound_streams(sounds: Sequence[Track], query: str, *, has_texts: bool) -> Iterator[str]:
    """Sound without a film: its first choice, and the others as renditions."""
    main = next((track for _name, track, is_default in _named(sounds) if is_default), sounds[0])
    rate = max(int(track.get("bandwidth") or _UNTOLD_SOUND) for track in sounds)
    yield _tag(
        "#EXT-X-STREAM-INF",
        BANDWIDTH=str(max(1, rate)),
        CODECS=_quoted(",".join(dict.fromkeys(track["codecs"] for track in sounds))),
        **({"AUDIO": _quoted("audio")} if len(sounds) > 1 else {}),
        **({"SUBTITLES": _quoted("subtitles")} if has_texts else {}),
    )
    yield f"{main['id']}/index.m3u8{query}"


def _named(tracks: Sequence[Track]) -> Iterator[tuple[str, Track, bool]]:
    """Tracks by names of which no two are alike in a group (s.4.3.4.1.1), and which is the one to begin with."""
    default = next((track for track in tracks if track.get("is_default")), next(iter(tracks), None))
    taken: set[str] = set()
    for number, track in enumerate(tracks, start=1):
        name = _quotable(track.get("title") or track.get("language") or f"Track {number}")[:100]
        if name in taken:
            name = f"{name} ({number})"
        taken.add(name)
        yield name, track, track is default


def _language(track: Track) -> dict[str, str]:
    """A language tag (RFC 5646); what is none, and words for no language, are left out."""
    language = track.get("language") or ""
    if language in _NO_LANGUAGE or not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}", language):
        return {}
    return {"LANGUAGE": _quoted(language)}


def _tag(name: str, **attributes: str) -> str:
    """A tag with its attributes, whose names have hyphens."""
    return f"{name}:" + ",".join(f"{key.replace('_', '-')}={value}" for key, value in attributes.items())


def _quoted(text: str) -> str:
    return f'"{_quotable(text)}"'


def _quotable(text: str) -> str:
    """Text that a quoted string may hold: there is no escaping in it (s.4.2).

    >>> _quotable('The "Cut"')
    "The 'Cut'"
    """
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).replace('"', "'")

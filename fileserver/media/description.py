"""What the service tells of a file: the facts that a worker found, where everything of it is, and how it plays."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from fileserver.media.facts import AnyTrack, Chapter, Facts, Format, SubtitleTrack
from fileserver.media.faults import MediaEngineFailed
from fileserver.media.playback import Href, Playback, playback

Kind: TypeAlias = Literal["video", "audio", "image", "other"]

LARGEST_FACTS = 4 << 20
"""In bytes: what the bounds of `facts` come to in scripts of three bytes a letter."""

_FACTS = TypeAdapter(Facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The file itself, as the library knows it. `media_type` has no parameters."""

    key: str
    size: int
    etag: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitles:
    """Words over the pictures that can be had as WebVTT."""

    href: str
    language: str | None
    label: str
    is_forced: bool
    is_default: bool
    source: Literal["embedded", "sidecar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The answer, as JSON by `dataclasses.asdict`. A href is None where there is nothing to be had."""

    key: str
    size: int
    etag: str
    media_type: str
    kind: Kind
    format: Format | None
    streams: tuple[AnyTrack, ...]
    chapters: tuple[Chapter, ...]
    cover: str | None
    poster: str | None
    storyboard: str | None
    waveform: str | None
    subtitles: tuple[Subtitles, ...]
    playback: tuple[Playback, ...]
    missing: str | None


def parse_facts(product: bytes) -> Facts:
    """The facts as a worker wrote them. Raises MediaEngineFailed: what read a stranger's file is not trusted either."""
    if len(product) > LARGEST_FACTS:
        raise MediaEngineFailed("the description is too long")
    try:
        return _FACTS.validate_json(product)
    except ValidationError as error:
        raise MediaEngineFailed("the description is not of its form") from error


def describe(
    stored: Stored, facts: Facts, href: Href, *, sidecars: Sequence[Subtitles] = (), may_transcode: bool = False
) -> Description:
    """The description of a file of which the facts are known."""
    kind = _kind(stored.media_type, facts)
    has_cover = any(track.codec_type == "video" and track.is_cover for track in facts.streams)
    return dataclasses.replace(
        undescribed(stored, href),
        kind=kind,
        format=facts.format,
        streams=facts.streams,
        chapters=facts.chapters,
        cover=href("cover") if has_cover else None,
        poster={"video": href("poster"), "image": href("preview")}.get(kind),
        storyboard=href("storyboard.vtt") if kind == "video" and facts.format.duration else None,
        waveform=href("waveform.json") if facts.sounds else None,
        subtitles=(*_embedded(facts.subtitles, href), *sidecars),
        playback=playback(facts, stored.media_type, href, may_transcode=may_transcode),
    )


def undescribed(stored: Stored, href: Href, *, missing: str | None = None) -> Description:
    """The description of a file of which nothing is known but its type; `missing` is what to install to know more."""
    kind = _kind_of_type(stored.media_type)
    may_play = missing is not None and kind in {"video", "audio"}
    direct = Playback("direct", href("file"), stored.media_type, ("the file as it is: what is in it is not known",))
    return Description(
        key=stored.key,
        size=stored.size,
        etag=stored.etag,
        media_type=stored.media_type,
        kind=kind,
        format=None,
        streams=(),
        chapters=(),
        cover=None,
        poster=None,
        storyboard=None,
        waveform=None,
        subtitles=(),
        playback=(direct,) if may_play else (),
        missing=missing,
    )


def as_json(description: Description) -> Mapping[str, object]:
    """The description for a JSON encoder."""
    return dataclasses.asdict(description)


def _kind(media_type: str, facts: Facts) -> Kind:
    if media_type.startswith("image/"):
        return "image"
    if facts.films:
        return "video"
    return "audio" if facts.sounds else "other"


def _kind_of_type(media_type: str) -> Kind:
    match media_type.partition("/")[0]:
        case "video" | "audio" | "image" as kind:
            return kind
    return "other"


def _embedded(tracks: tuple[SubtitleTrack, ...], href: Href) -> tuple[Subtitles, ...]:
    return tuple(
        Subtitles(
            href=href(f"subtitles/{track.id}.vtt"),
            language=track.language,
            label=track.title or track.language or f"Subtitles {number}",
            is_forced=track.disposition.get("forced", False),
            is_default=track.disposition["default"],
            source="embedded",
        )
        for number, track in enumerate(tracks, start=1)
        if track.is_text
    )

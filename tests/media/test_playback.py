"""How files play, as clients with different codings choose: never silent, never by trying."""

import re
from dataclasses import replace

import pytest

from fileserver.media.facts import AudioTrack, Facts, Format, Track, VideoTrack
from fileserver.media.playback import Playback, playback

_CODECS = {
    "aac": "mp4a.40.2", "ac3": "ac-3", "alac": "alac", "av1": "av01.0.04M.08", "dts": "dtsc", "flac": "flac",
    "h264": "avc1.64001f", "hevc": "hvc1.1.6.L93.B0", "mp2": "mp4a.40.33", "mp3": "mp3", "mpeg4": "mp4v.20.9",
    "opus": "opus", "pcm_s16be": None, "pcm_s16le": "1", "vorbis": "vorbis", "vp8": "vp8", "vp9": "vp09.00.10.08",
    "wmav2": None, "wmv2": None,
}  # fmt: skip
_FILMS = frozenset({"av1", "h264", "hevc", "mpeg4", "vp8", "vp9", "wmv2"})


def _common(codec_name: str, number: int, *, is_default: bool) -> Track:
    return Track(
        id=f"x{number}",
        index=number,
        codec_name=codec_name,
        codecs=_CODECS.get(codec_name),
        profile=None,
        time_base="1/1000",
        duration=None,
        bit_rate=None,
        language=None,
        title=None,
        disposition={"default": is_default},
    )


def _film(codec_name: str, number: int, *, is_default: bool = True, is_cover: bool = False) -> VideoTrack:
    common = _common(codec_name, number, is_default=is_default)
    return VideoTrack(
        **{name: getattr(common, name) for name in Track.__slots__},
        width=320,
        height=180,
        rotation=0,
        sample_aspect_ratio="1:1",
        frame_rate=25,
        pix_fmt="yuv420p",
        is_hdr=False,
        is_interlaced=False,
        is_cover=is_cover,
    )


def _sound(codec_name: str, number: int, *, is_default: bool = True, channels: int = 2) -> AudioTrack:
    common = _common(codec_name, number, is_default=is_default)
    return AudioTrack(
        **{name: getattr(common, name) for name in Track.__slots__},
        channels=channels,
        channel_layout="stereo",
        sample_rate=48_000,
        bits_per_sample=None,
    )


def _facts(*tracks: VideoTrack | AudioTrack | str, is_index_last: bool = False) -> Facts:
    """A file of these tracks, told by their codings where there is no more to them."""
    streams = tuple(
        track if isinstance(track, Track) else _film(track, number) if track in _FILMS else _sound(track, number)
        for number, track in enumerate(tracks)
    )
    form = Format(format_name="x", duration=10, start_time=0, bit_rate=None, tags={})
    return Facts(format=form, streams=streams, chapters=(), is_index_last=is_index_last)


def _ways(facts: Facts, media_type: str = "video/matroska", *, may_transcode: bool = False) -> tuple[Playback, ...]:
    return playback(facts, media_type, lambda name: f"/{name}", may_transcode=may_transcode)


def _brief(ways: tuple[Playback, ...]) -> list[tuple[str, str, str | None]]:
    return [(way.method, way.href, way.type) for way in ways]


_CHROMIUM = frozenset({"avc1", "av01", "vp09", "vp8", "mp4a.40.2", "opus", "flac", "vorbis", "mp3", "1"})
_SAFARI = frozenset({"avc1", "hvc1", "mp4a.40.2", "mp3", "ac-3", "alac", "flac", "opus"})
_KINDS = {
    "chromium": frozenset({"video/matroska", "video/mp4", "audio/mp4", "video/webm", "audio/wav", "audio/mpeg"}),
    "safari": frozenset({"video/mp4", "audio/mp4", "video/quicktime", "audio/wav", "audio/mpeg"}),
}


def _supports(client: str, media_type: str | None) -> bool:
    """What canPlayType says: the kind is known, and each coding."""
    if media_type is None:
        return False
    kind, _, codecs = media_type.partition("; codecs=")
    known = _CHROMIUM if client == "chromium" else _SAFARI
    named = re.findall(r"[^\", ]+", codecs)
    return kind in _KINDS[client] and all(name in known or name.partition(".")[0] in known for name in named)


@pytest.mark.parametrize(
    ("client", "media_type", "tracks", "expected"),
    [
        ("chromium", "video/matroska", ("h264", "aac"), "direct"),
        ("chromium", "video/matroska", ("h264", "ac3"), "remux"),  # direct it would be silent, without an error
        ("chromium", "video/matroska", ("h264", "dts"), "remux"),
        ("chromium", "video/matroska", ("vp9", "opus"), "direct"),
        ("chromium", "video/matroska", ("hevc", "aac"), "transcode"),
        ("chromium", "video/mp2t", ("h264", "aac"), "remux"),
        ("chromium", "video/mp4", ("h264", "mp3"), "direct"),
        ("chromium", "video/quicktime", ("h264", "aac"), "direct"),
        ("chromium", "video/quicktime", ("h264", "alac"), "remux"),
        ("chromium", "video/x-msvideo", ("mpeg4", "mp3"), "transcode"),
        ("chromium", "video/webm", ("vp8", "vorbis"), "direct"),
        ("chromium", "video/x-ms-wmv", ("wmv2", "wmav2"), "transcode"),
        ("chromium", "audio/mp4", ("alac",), "transcode"),
        ("chromium", "audio/mpeg", ("mp3",), "direct"),
        ("chromium", "audio/mpeg", ("mp2",), "transcode"),
        ("safari", "video/matroska", ("h264", "aac"), "remux"),
        ("safari", "video/matroska", ("h264", "vorbis"), "remux"),
        ("safari", "video/mp4", ("hevc", "ac3"), "direct"),
        ("safari", "video/matroska", ("hevc", "dts"), "remux"),
        ("safari", "video/webm", ("vp8", "vorbis"), "transcode"),
        ("safari", "audio/mp4", ("alac",), "direct"),
        ("safari", "audio/ogg", ("opus",), "remux"),
    ],
)
def test_a_client_that_goes_by_types_chooses(
    client: str, media_type: str, tracks: tuple[str, ...], expected: str
) -> None:
    ways = _ways(_facts(*tracks), media_type, may_transcode=True)
    assert next(way.method for way in ways if _supports(client, way.type)) == expected


@pytest.mark.parametrize("order", [("ac3", "aac"), ("aac", "ac3")])
@pytest.mark.parametrize("marked", ["ac3", "aac", None])
def test_a_type_names_the_sound_that_comes_first_and_the_one_that_is_the_default(
    order: tuple[str, str], marked: str | None
) -> None:
    tracks = [_sound(name, number, is_default=name == marked) for number, name in enumerate(order, 1)]
    direct = _ways(_facts(_film("h264", 0), *tracks))[0]
    is_ac3_played = order[0] == "ac3" or marked == "ac3"
    assert ("ac-3" in str(direct.type)) is is_ac3_played
    assert direct.reasons[-1] == "it has 2 tracks of sound, of which browsers play one"


def test_a_film_is_copied_and_its_sound_converted() -> None:
    assert _brief(_ways(_facts("h264", "ac3"), may_transcode=True)) == [
        ("direct", "/file", 'video/matroska; codecs="avc1.64001f, ac-3"'),
        ("remux", "/hls/master.m3u8", 'video/mp4; codecs="avc1.64001f, mp4a.40.2"'),
        ("transcode", "/hls/master.m3u8?video=h264", 'video/mp4; codecs="avc1.42c028, mp4a.40.2"'),
    ]


def test_reasons_say_what_becomes_of_each_track() -> None:
    remux = _ways(_facts("h264", "ac3", "aac", "ac3"))[1]
    assert remux.reasons == (
        "the pictures (h264) are copied",
        "the sound (ac3) is converted to AAC",
        "the sound (aac) is copied",
    )


def test_video_is_converted_only_where_that_is_allowed() -> None:
    assert [way.method for way in _ways(_facts("mpeg4", "mp3"), "video/x-msvideo")] == ["direct"]


def test_hls_is_named_for_all_the_sound_that_may_be_chosen_in_it() -> None:
    remux = _ways(_facts("h264", "opus", "ac3", "flac"))[1]
    assert remux.type == 'video/mp4; codecs="avc1.64001f, opus, mp4a.40.2, fLaC"'


def test_hevc_that_is_called_hev1_is_repacked_as_hvc1() -> None:
    film = replace(_film("hevc", 0), codecs="hev1.1.6.L93.B0")
    direct, remux = _ways(_facts(film), "video/mp4")
    assert (direct.type, remux.type) == (
        'video/mp4; codecs="hev1.1.6.L93.B0"',
        'video/mp4; codecs="hvc1.1.6.L93.B0"',
    )


def test_an_index_at_the_end_is_sent_first() -> None:
    direct = _ways(_facts("h264", "aac", is_index_last=True), "video/mp4")[0]
    assert (direct.href, direct.reasons[1]) == ("/faststart", "its index, which lies behind the media, is sent first")


def test_sound_that_nothing_decodes_is_left_out_and_never_promised() -> None:
    unknown = _sound("mpegh", 1, channels=0)
    direct, remux = _ways(_facts(_film("h264", 0), unknown))
    assert (direct.type, remux.type) == (None, 'video/mp4; codecs="avc1.64001f"')
    assert remux.reasons[1] == "the sound (mpegh) is left out: nothing here decodes it"
    assert len(_ways(_facts(unknown), "audio/mp4")) == 1


@pytest.mark.parametrize(
    ("codec_name", "media_type", "methods"),
    [
        ("flac", "audio/flac", [("direct", "/file"), ("remux", "/hls/master.m3u8"), ("transcode", "/wav")]),
        ("alac", "audio/mp4", [("direct", "/file"), ("transcode", "/hls/master.m3u8"), ("transcode", "/wav")]),
        ("pcm_s16be", "audio/aiff", [("direct", "/file"), ("remux", "/wav"), ("transcode", "/hls/master.m3u8")]),
        ("mp3", "audio/mpeg", [("direct", "/file"), ("transcode", "/hls/master.m3u8")]),
        ("aac", "audio/aac", [("direct", "/file"), ("remux", "/hls/master.m3u8")]),
    ],
)
def test_sound_alone_plays(codec_name: str, media_type: str, methods: list[tuple[str, str]]) -> None:
    assert [(way.method, way.href) for way in _ways(_facts(codec_name), media_type)] == methods


@pytest.mark.parametrize(
    ("codec_name", "media_type", "expected"),
    [
        ("mp3", "audio/mpeg", "audio/mpeg"),
        ("mp2", "audio/mpeg", 'audio/mpeg; codecs="mp4a.40.33"'),
        ("flac", "audio/flac", "audio/flac"),
        ("aac", "audio/aac", "audio/aac"),
        ("opus", "application/ogg", 'audio/ogg; codecs="opus"'),
        ("pcm_s16le", "audio/wav", 'audio/wav; codecs="1"'),
        ("wmav2", "audio/x-ms-wma", None),
    ],
)
def test_a_file_of_sound_is_named_as_players_know_it(codec_name: str, media_type: str, expected: str | None) -> None:
    assert _ways(_facts(codec_name), media_type)[0].type == expected


def test_a_kind_of_aac_that_players_do_not_know_is_converted() -> None:
    sound = replace(_sound("aac", 1), codecs="mp4a.40.42")
    direct, remux = _ways(_facts(_film("h264", 0), sound), "video/mp4")
    assert (direct.type, remux.type) == (
        'video/mp4; codecs="avc1.64001f, mp4a.40.42"',
        'video/mp4; codecs="avc1.64001f, mp4a.40.2"',
    )


def test_a_song_with_a_cover_is_a_song() -> None:
    facts = _facts(_sound("mp3", 0), _film("mjpeg", 1, is_cover=True))
    assert _brief(_ways(facts, "audio/mpeg"))[0] == ("direct", "/file", "audio/mpeg")


@pytest.mark.parametrize("media_type", ["image/gif", "video/matroska"])
def test_what_neither_sounds_nor_moves_does_not_play(media_type: str) -> None:
    facts = _facts("av1") if media_type == "image/gif" else _facts(_film("mjpeg", 0, is_cover=True))
    assert _ways(facts, media_type) == ()

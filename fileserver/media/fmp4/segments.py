"""The two things that HLS and MSE are fed with: an init segment, and media segments of one track each.

Sources: ISO/IEC 14496-12 s.8 (boxes), 23000-19 (CMAF: one track, and an edit list for no more than its delay).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack
from typing import Final

from fileserver.media.fmp4.boxes import box, full_box

MOST_SAMPLES: Final = 250_000
"""In one segment. A second has 240 pictures or 400 frames of sound at most, and a segment some minutes at most."""

MAX_SEGMENT_SIZE: Final = 256 * 1024 * 1024
"""Bytes. Ten seconds of the fattest film that players play are 150 MB."""

_TRACK_ID = 1  # each segment has one track only, so all may be called alike
_IS_SYNC = 0x02000000  # sample_depends_on 2: on no other
_IS_NOT_SYNC = 0x01010000  # sample_depends_on 1, sample_is_non_sync_sample

_TURNS: Final = {  # a, b, c, d of the matrix by degrees clockwise
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


@dataclass(frozen=True, slots=True)
class TrackHead:
    """What an init segment says of its track. `entry` is a sample entry box; sound has neither size nor rotation.

    `width` and `height` are those to be shown at, before the rotation: degrees clockwise. `delay` is how many ticks
    later than meant everything is in the segments.
    """

    is_video: bool
    timescale: int
    entry: bytes
    width: int = 0
    height: int = 0
    rotation: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One packet. `duration` to the next one's decode time and `offset` from its own to its presentation: in ticks."""

    size: int
    duration: int
    offset: int = 0
    is_sync: bool = True


def init_segment(head: TrackHead) -> bytes:
    """`ftyp` and `moov`: all that a player needs before any segment of the track.

    >>> init_segment(TrackHead(False, 48000, b""))[4:12]
    b'ftypiso6'
    """
    brands = box(b"ftyp", b"iso6", bytes(4), b"iso6", b"cmfc", b"mp41")
    extends = box(b"mvex", full_box(b"trex", 0, 0, pack(">5I", _TRACK_ID, 1, 0, 0, 0)))
    movie = pack(">4I", 0, 0, head.timescale, 0) + pack(">IH10x", 0x10000, 0x100) + _matrix(0) + bytes(24)
    return brands + box(b"moov", full_box(b"mvhd", 0, 0, movie, pack(">I", _TRACK_ID + 1)), _trak(head), extends)


def segment_head(sequence: int, decode_time: int, samples: Sequence[Sample]) -> bytes:
    """All of a media segment but its packets, which follow it in order: `styp`, `moof` and the head of `mdat`.

    `decode_time` is the first sample's, in ticks of the track's timescale.

    >>> len(segment_head(1, 0, [Sample(10, 1024)]))
    140
    """
    run = b"".join(
        pack(">IIIi", sample.duration, sample.size, _IS_SYNC if sample.is_sync else _IS_NOT_SYNC, sample.offset)
        for sample in samples
    )
    kinds = box(b"styp", b"msdh", bytes(4), b"msdh", b"msix", b"cmfs")
    size = sum(sample.size for sample in samples)
    moof = _moof(sequence, decode_time, len(samples), run, 0)
    moof = _moof(sequence, decode_time, len(samples), run, len(moof) + 8)
    return kinds + moof + pack(">I4s", size + 8, b"mdat")


def _moof(sequence: int, decode_time: int, count: int, run: bytes, data_offset: int) -> bytes:
    """`data_offset` is where the packets begin, from the beginning of this box."""
    track = full_box(b"tfhd", 0, 0x020000, pack(">I", _TRACK_ID))  # default-base-is-moof
    time = full_box(b"tfdt", 1, 0, pack(">Q", decode_time))
    told = 0x000001 | 0x000100 | 0x000200 | 0x000400 | 0x000800  # data offset; duration, size, flags, signed offset
    runs = full_box(b"trun", 1, told, pack(">Ii", count, data_offset), run)
    return box(b"moof", full_box(b"mfhd", 0, 0, pack(">I", sequence)), box(b"traf", track, time, runs))


def _trak(head: TrackHead) -> bytes:
    enabled_in_movie = 0x000003
    volume = 0 if head.is_video else 0x100
    shown = pack(">II", min(head.width, 0xFFFF) << 16, min(head.height, 0xFFFF) << 16)
    about = pack(">5I8xhhhH", 0, 0, _TRACK_ID, 0, 0, 0, 0, volume, 0) + _matrix(head.rotation) + shown
    return box(b"trak", full_box(b"tkhd", 0, enabled_in_movie, about), _edts(head.delay), _mdia(head))


def _edts(delay: int) -> bytes:
    """An edit list of one edit: from `delay` on, at the usual speed, for as long as there is something."""
    if not delay:
        return b""
    return box(b"edts", full_box(b"elst", 1, 0, pack(">IQqHH", 1, 0, delay, 1, 0)))


def _mdia(head: TrackHead) -> bytes:
    undetermined = 0x55C4  # "und": the playlist says the language
    header = full_box(b"mdhd", 0, 0, pack(">4IHH", 0, 0, head.timescale, 0, undetermined, 0))
    kind, about = (b"vide", full_box(b"vmhd", 0, 1, bytes(8))) if head.is_video else (b"soun", _smhd())
    handler = full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), b"\x00")
    where = box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1)))
    return box(b"mdia", header, handler, box(b"minf", about, where, _stbl(head.entry)))


def _smhd() -> bytes:
    return full_box(b"smhd", 0, 0, bytes(4))


def _stbl(entry: bytes) -> bytes:
    """A table of samples without any: they are in the segments."""
    descriptions = full_box(b"stsd", 0, 0, pack(">I", 1), entry)
    empty = (full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc"))
    return box(b"stbl", descriptions, *empty, full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, bytes(4)))


def _matrix(rotation: int) -> bytes:
    """ISO/IEC 14496-12 s.8.3.2: 16.16 numbers but for the last column's 2.30."""
    a, b, c, d = (value * 0x10000 for value in _TURNS[rotation])
    return pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)

"""What film or sound without a container is, by its frames: each tells where the next has to begin.

Source: ISO 13818-1 s.2.4.3.2 and s.2.5.3 (transport and program streams), ISO 11172-3 s.2.4.2.3 (MPEG audio),
ISO 14496-3 s.1.A.2 (ADTS), ETSI TS 102 366 s.4.3 and Annex E (AC-3), ETSI TS 102 114 s.5.3 (DTS), ID3v2.4 s.3.1, ITU-T
H.264 and H.265 Annex B.
"""

import re
from collections.abc import Callable

from fileserver.media.detection.found import Found

_PACKETS = re.compile(rb"(?:G.{187}){3}|(?:.{4}G.{187}){3}|(?:G.{203}){3}", re.DOTALL)
"""Transport packets: of 188 bytes; on Blu-ray and from camcorders a time of 4 before each; on air 16 for correction."""

_STARTS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), media_type)
    for pattern, media_type in (
        (rb"\x00\x00\x01\xba[\x20-\x2f\x40-\x7f]", "video/mpeg"),
        (rb"\x00\x00\x01\xb3.{6}", "video/mpeg"),
        (rb"\x00?\x00\x00\x01\xb0.\x00\x00\x01", "video/mp4v-es"),
        (rb"\x00\x00\x01\x0f[\xc0-\xcf]", "video/vc1"),
        (rb"\x00?\x00\x00\x01(?:\x09[\x10\x30\x50\x70\x90\xb0\xd0\xf0]\x00?\x00\x00\x01)?[\x27\x47\x67][\x42\x4d\x53\x58\x64\x6e\x7a\xf4\x2c]",
         "video/h264"),
        (rb"\x00?\x00\x00\x01(?:\x46\x01.\x00?\x00\x00\x01)?\x40\x01\x0c", "video/h265"),
        (rb"\x12\x00\x0a[\x0a-\x14]", "video/av1"),
        (rb"\x1f\x07\x00[\x3f\xbf]", "video/dv"),
        (rb".{4}\xf8\x72\x6f\xba", "audio/true-hd"),
        (rb".{4}\xf8\x72\x6f\xbb", "audio/vnd.dolby.mlp"),
        (rb"\x7f\xfe\x80\x01|\xfe\x7f\x01\x80|\x1f\xff\xe8\x00\x07[\xf0-\xff]|\xff\x1f\x00\xe8[\xf0-\xff]\x07|DTSHDHDR|\x64\x58\x20\x25",
         "audio/vnd.dts"),
    )
)  # fmt: skip

_TAG = re.compile(rb"ID3[\x02-\x04].{2}[\x00-\x7f]{4}", re.DOTALL)
_AFTER_TAG: tuple[tuple[bytes, str], ...] = (
    (b"fLaC", "audio/flac"), (b"MAC ", "audio/ape"), (b"TTA1", "audio/x-tta"), (b"MPCK", "audio/x-musepack"),
    (b"MP+", "audio/x-musepack"), (b"wvpk", "audio/x-wavpack"), (b"OggS", "audio/ogg"),
)  # fmt: skip

_MPEG_RATES = (44_100, 48_000, 32_000)
_BIT_RATES = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by version (3 is MPEG-1) and the two bits of the layer (3 is layer I)."""

_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_ENOUGH_FRAMES = 3
_ENOUGH_BYTES = 16_384
"""What `_ENOUGH_FRAMES` of the longest take: those of ADTS have up to 8 KiB, but never many."""

_CUT_PACKETS = frozenset({"ts", "mts", "m2ts", "m2t"})
_CUT_FRAMES = frozenset({"mp3", "mp2", "aac", "ac3", "ec3", "eac3"})
_SYNC = re.compile(rb"\xff[\xe0-\xff]|\x0b\x77")
_MOST_RUBBISH = 8192


def bare_type(head: bytes) -> Found | None:
    """What a stream that begins with `head` is; None for a file that is none.

    >>> bare_type(b"ID3\\4\\0\\0\\0\\0\\x7f\\x7f" + bytes(90))
    Found(media_type='audio/mpeg', is_settled=False)
    """
    if _PACKETS.match(head):
        return Found("video/mp2t")
    if _TAG.match(head):
        return _tagged(head)
    known = next((media_type for pattern, media_type in _STARTS if pattern.match(head)), None)
    return Found(known) if known else _framed(head)


def late_bare_type(head: bytes, extension: str) -> str | None:
    """What a stream is that was cut anywhere or has rubbish before it; only under a name that says so."""
    if extension in _CUT_PACKETS:
        return "video/mp2t" if any(_PACKETS.match(head, place) for place in range(1, 208)) else None
    if extension not in _CUT_FRAMES:
        return None
    places = (match.start() for match in _SYNC.finditer(head, 1, _MOST_RUBBISH))
    found = next((found for place in places if (found := _framed(head[place : place + _ENOUGH_BYTES]))), None)
    return found.media_type if found else None


def _tagged(head: bytes) -> Found:
    """What follows the tag; where a large cover pushes that out of the head, the name may say."""
    sizes = head[6:10]
    place = 10 + sum(size << shift for size, shift in zip(sizes, (21, 14, 7, 0), strict=True))
    if head[5] & 0x10:
        place += 10
    after = head[place:]
    if not after:
        return Found("audio/mpeg", is_settled=False)
    known = next((media_type for mark, media_type in _AFTER_TAG if after.startswith(mark)), None)
    return Found(known) if known else (_framed(after.lstrip(b"\0")) or Found("audio/mpeg", is_settled=False))


def _framed(head: bytes) -> Found | None:
    if head.startswith(b"\x0b\x77") and _is_chain(head, _ac3_size):
        return Found("audio/eac3" if _is_enhanced(head) else "audio/ac3")
    if _is_chain(head, _adts_size):
        return Found("audio/aac")
    if _is_chain(head, _latm_size):
        return Found("audio/mp4a-latm")
    return Found("audio/mpeg") if _is_chain(head, _mpeg_size) else None


def _is_chain(head: bytes, size_of: Callable[[bytes], int]) -> bool:
    """Whether frames follow each other, as many as make chance unlikely or as there are to the end."""
    place, count = 0, 0
    while count < _ENOUGH_FRAMES:
        size = size_of(head[place : place + 8])
        if not size:
            is_end = place >= len(head) or head.startswith(b"TAG", place)
            return count > 1 and is_end
        place, count = place + size, count + 1
    return True


def _mpeg_size(frame: bytes) -> int:
    """The length of a frame of MPEG audio; 0 where there is none."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return 0
    version, layer, rate, frequency = frame[1] >> 3 & 3, frame[1] >> 1 & 3, frame[2] >> 4, frame[2] >> 2 & 3
    if version == 1 or layer == 0 or rate in {0, 15} or frequency == 3:
        return 0
    row = (3, layer) if version == 3 else (2, 3 if layer == 3 else 2)
    bits_per_s = _BIT_RATES[row][rate - 1] * 1000
    hertz = _MPEG_RATES[frequency] >> (2, 0, 1, 0)[version]
    padding = frame[2] >> 1 & 1
    if layer == 3:
        return (12 * bits_per_s // hertz + padding) * 4
    return (72 if layer == 1 and version != 3 else 144) * bits_per_s // hertz + padding


def _adts_size(frame: bytes) -> int:
    if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or frame[2] >> 2 & 15 > 12:
        return 0
    size = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return size if size > 7 else 0


def _latm_size(frame: bytes) -> int:
    is_frame = len(frame) >= 3 and frame[0] == 0x56 and frame[1] & 0xE0 == 0xE0
    return ((frame[1] & 0x1F) << 8 | frame[2]) + 3 if is_frame else 0


def _is_enhanced(frame: bytes) -> bool:
    return frame[5] >> 3 > 10


def _ac3_size(frame: bytes) -> int:
    if len(frame) < 6 or not frame.startswith(b"\x0b\x77"):
        return 0
    if _is_enhanced(frame):
        return (((frame[2] & 7) << 8 | frame[3]) + 1) * 2
    code, rate = frame[4] >> 6, (frame[4] & 63) >> 1
    if code == 3 or rate >= len(_AC3_RATES):
        return 0
    size = _AC3_RATES[rate] * 192_000 // (48_000, 44_100, 32_000)[code] // 2 * 2
    return size + 2 * (frame[4] & 1) if code == 1 else size

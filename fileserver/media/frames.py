"""Sound without a container: where its frames begin and how many samples each holds, by their headers alone. Pure.

Files of MP3, AAC and AC-3 have no index, and FFmpeg guesses its way in them. A header says how long its frame is, so
that a walk over the headers knows every frame for certain. Sources: ISO/IEC 11172-3 s.2.4.1.3 and 13818-3 (MPEG audio),
14496-3 s.1.A.2.2 (ADTS), ETSI TS 102 366 s.4.3 and E.1.2 (AC-3, E-AC-3), RFC 6716 s.3.1 (Opus), RFC 9639 s.9.1 (FLAC).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fileserver.media.fmp4.audio_entries import AAC_RATES

_WINDOW: Final = 1 << 20
_LONGEST_HEADER: Final = 10
_MOST_JUNK: Final = 4 << 20
"""Bytes that are no frames, at one place, before the sound is taken for ended: a cover is larger, and has a size."""

_MPEG_RATES = (44100, 48000, 32000)
_MPEG1_KBPS = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_MPEG2_KBPS = (
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES = (48000, 44100, 32000)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a header says: `size` in bytes with the header, `samples` for each channel, `codec_name` as FFmpeg's."""

    codec_name: str
    size: int
    samples: int
    rate: int


Parse = Callable[[bytes, int], Frame | None]


def mpeg_frame(content: bytes, offset: int = 0) -> Frame | None:
    """The frame of MPEG audio whose header is at `offset`; None where there is none, or its bit rate is free.

    >>> mpeg_frame(bytes.fromhex("fffb9064"))
    Frame(codec_name='mp3', size=417, samples=1152, rate=44100)
    """
    return _mpeg_frame(int.from_bytes(content[offset : offset + 4]))


@lru_cache(maxsize=4096)
def _mpeg_frame(header: int) -> Frame | None:
    """A file has some dozens of different headers, and more than 100,000 frames an hour."""
    version, layer = header >> 19 & 3, 4 - (header >> 17 & 3)
    bit_rate, rate = header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or bit_rate in {0, 15} or rate == 3:
        return None
    is_mpeg1 = version == 3
    kbps = (_MPEG1_KBPS if is_mpeg1 else _MPEG2_KBPS)[layer - 1][bit_rate]
    hertz = _MPEG_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 384 if layer == 1 else 576 if layer == 3 and not is_mpeg1 else 1152
    padding = header >> 9 & 1
    size = (12_000 * kbps // hertz + padding) * 4 if layer == 1 else samples * 125 * kbps // hertz + padding
    return Frame(f"mp{layer}", size, samples, hertz)


def adts_frame(content: bytes, offset: int = 0) -> Frame | None:
    """The ADTS frame whose header is at `offset`.

    >>> adts_frame(bytes.fromhex("fff14c801b7ffc"))
    Frame(codec_name='aac', size=219, samples=1024, rate=48000)
    """
    header = int.from_bytes(content[offset : offset + 7].ljust(7, b"\0"))
    rate, size = header >> 34 & 15, header >> 13 & 0x1FFF
    if header >> 44 != 0xFFF or header >> 41 & 3 or rate >= len(AAC_RATES) or size < 7:
        return None
    return Frame("aac", size, 1024 * (1 + (header & 3)), AAC_RATES[rate])


def adts_header_size(packet: bytes) -> int:
    """How many bytes stand before the sound of a packet: 0 where it has no header of ADTS.

    >>> adts_header_size(bytes.fromhex("fff14c801b7ffc")), adts_header_size(b"")
    (7, 0)
    """
    if adts_frame(packet) is None:
        return 0
    return 7 if packet[1] & 1 else 9


def ac3_frame(content: bytes, offset: int = 0) -> Frame | None:
    """The frame of AC-3, or of E-AC-3 with all that depends on it, whose header is at `offset`.

    >>> ac3_frame(bytes.fromhex("0b77000014402f84"))
    Frame(codec_name='ac3', size=768, samples=1536, rate=48000)
    """
    head = content[offset : offset + 6]
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return None
    if head[5] >> 3 > 10:
        return _eac3_frame(head)
    rate, code = head[4] >> 6, head[4] & 63
    if rate == 3 or code >= 2 * len(_AC3_KBPS):
        return None
    hertz, kbps = _AC3_RATES[rate], _AC3_KBPS[code >> 1]
    words = 96_000 * kbps // hertz + (code & 1 if hertz == 44100 else 0)
    return Frame("ac3", words * 2, 1536, hertz >> max(0, (head[5] >> 3) - 8))


def _eac3_frame(head: bytes) -> Frame | None:
    """A substream of E-AC-3. One that depends on another counts no samples: it belongs to the frame before."""
    size = ((head[2] & 7) << 8 | head[3]) * 2 + 2
    rate, blocks = head[4] >> 6, (1, 2, 3, 6)[head[4] >> 4 & 3]
    if head[5] >> 3 > 16 or (rate == 3 and head[4] >> 4 & 3 == 3):
        return None
    hertz = _AC3_RATES[head[4] >> 4 & 3] // 2 if rate == 3 else _AC3_RATES[rate]
    is_first = head[2] >> 6 != 1 and head[2] >> 3 & 7 == 0
    return Frame("eac3", size, (6 if rate == 3 else blocks) * 256 if is_first else 0, hertz)


PARSERS: dict[str, Parse] = {
    "audio/aac": adts_frame,
    "audio/ac3": ac3_frame,
    "audio/eac3": ac3_frame,
    "audio/mpeg": mpeg_frame,
}
"""How to find the frames in a file of a media type that has no container."""


def walk(read: Callable[[int, int], bytes], parse: Parse, position: int = 0) -> Iterator[tuple[int, Frame]]:
    """Each whole frame and where it begins, from `position` on; `read` takes a position and a number of bytes.

    Tags before and after, and damage in between, are stepped over: a frame is believed where one or the end follows.

    >>> sound = b"junk" + bytes.fromhex("fffb9064").ljust(417, b"\\0") * 2
    >>> [(place, frame.size) for place, frame in walk(lambda at, size: sound[at : at + size], mpeg_frame)]
    [(4, 417), (421, 417)]
    """
    window, base = b"", position
    is_sure = False
    junk = 0
    while junk < _MOST_JUNK:
        offset = position - base
        if offset + 2 * _LONGEST_HEADER > len(window) or offset < 0:
            window, base, offset = read(position, _WINDOW), position, 0
            if len(window) < 4:
                return
        frame = parse(window, offset)
        if frame is not None and (is_sure or _is_followed(read, parse, position + frame.size)):
            yield position, frame
            position, is_sure, junk = position + frame.size, True, 0
            continue
        is_sure = False
        step = _tag_size(window, offset)
        position += step
        junk += step if step == 1 else 0


def _is_followed(read: Callable[[int, int], bytes], parse: Parse, position: int) -> bool:
    head = read(position, _LONGEST_HEADER)
    return not head or head.startswith((b"TAG", b"APETAGEX")) or parse(head, 0) is not None


def _tag_size(window: bytes, offset: int) -> int:
    """How far to step where no frame begins: over an ID3v2 tag (ID3v2.4 s.3.1), else one byte."""
    head = window[offset : offset + 10]
    if len(head) < 10 or not head.startswith(b"ID3") or max(head[6:10]) > 0x7F:
        return 1
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def is_information(frame: bytes) -> bool:
    """Whether a frame of MP3 is the one that encoders put first to tell of the others, and that holds no sound."""
    return any(frame[place : place + 4] in {b"Xing", b"Info"} for place in (13, 21, 36)) or frame[36:40] == b"VBRI"


def opus_samples(packet: bytes) -> int:
    """How many samples at 48,000 a second a packet of Opus holds: its frames' length, and how many they are.

    >>> opus_samples(bytes([0xFC])), opus_samples(bytes([0xFB, 0x03])), opus_samples(b"")
    (960, 2880, 0)
    """
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    else:
        size = (480, 960)[config & 1] if config < 16 else 120 << (config & 3)
    count = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    return size * count


def alac_samples(packet: bytes, frame_size: int) -> int:
    """How many samples a packet of ALAC holds: as many as all do, or what the last one says of itself.

    >>> alac_samples(bytes.fromhex("20000000"), 4096), alac_samples(bytes.fromhex("200010000003e8"), 4096)
    (4096, 500)
    """
    head = int.from_bytes(packet[:7].ljust(7, b"\0"))
    has_size = head >> 36 & 1  # after a tag of 3 bits, an instance of 4 and 12 of no use
    return head >> 1 & 0xFFFFFFFF if has_size else frame_size


def fixed_block(streaminfo: bytes) -> int:
    """How many samples every frame of FLAC but the last holds (RFC 9639 s.8.2); 0 where they differ, or it is not told.

    >>> fixed_block(bytes.fromhex("10001000").ljust(34, b"\\0")), fixed_block(b"")
    (4096, 0)
    """
    least, most = streaminfo[:2], streaminfo[2:4]
    return int.from_bytes(least) if len(streaminfo) >= 34 and least == most else 0


def flac_samples(frame: bytes) -> int:
    """How many samples a frame of FLAC holds; 0 where it is none.

    >>> flac_samples(bytes.fromhex("fff8c9a80000")), flac_samples(b"")
    (4096, 0)
    """
    if len(frame) < 6 or frame[0] != 0xFF or frame[1] >> 2 != 0x3E:
        return 0
    code = frame[2] >> 4
    if code < 6 or code > 7:
        return (0, 192, 576, 1152, 2304, 4608)[code] if code < 6 else 256 << (code - 8)
    after = 4 + max(1, 8 - (~frame[4] & 0xFF).bit_length())  # the number of the frame, as long as UTF-8 makes it
    return int.from_bytes(frame[after : after + code - 5]) + 1

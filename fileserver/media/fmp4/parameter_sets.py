"""The decoder's configuration of H.264 and HEVC: avcC and hvcC made of the parameter sets of a byte stream. Pure.

Sources: ITU-T H.264 s.7.3.2.1 and annex B, ITU-T H.265 s.7.3.2.2 and annex B, ISO/IEC 14496-15 s.5.3.3 and s.8.3.3.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from fileserver.media.bit_reader import BitReader

_H264_IDR, _H264_SPS, _H264_PPS = 5, 7, 8
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34

_MOST_SETS: Final = 31
"""Of one kind: avcC counts them in five bits. Films have one or two."""

_START_CODE = re.compile(rb"\x00\x00\x01")


def units_of(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream, without start codes and the zeros between (annex B).

    >>> list(units_of(b"\\x00\\x00\\x00\\x01ab\\x00\\x00\\x01c\\x00"))
    [b'ab', b'c']
    """
    pieces = iter(_START_CODE.split(stream))
    next(pieces)
    return (unit for piece in pieces if (unit := piece.rstrip(b"\x00")))


def is_byte_stream(packet: bytes) -> bool:
    """Whether a packet has start codes in it rather than lengths: a unit of one byte does not begin a picture.

    >>> is_byte_stream(b"\\x00\\x00\\x01\\x65"), is_byte_stream(b"\\x00\\x00\\x00\\x02\\x65\\x88")
    (True, False)
    """
    return packet.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))


def length_prefixed(packet: bytes) -> bytes:
    """A packet of a byte stream as MP4 has it: four bytes of length before each unit, which stay as they are.

    >>> length_prefixed(b"\\x00\\x00\\x01ab").hex()
    '000000026162'
    """
    return b"".join(part for unit in units_of(packet) for part in (len(unit).to_bytes(4), unit))


def has_idr(packet: bytes, length_size: int) -> bool:
    """Whether a packet of H.264 has a slice of a picture that nothing behind it refers back over; 0 is start codes.

    >>> has_idr(b"\\x00\\x00\\x00\\x02\\x65\\x88", 4), has_idr(b"\\x00\\x00\\x01\\x41\\x9a", 0)
    (True, False)
    """
    units = units_of(packet) if length_size == 0 else _prefixed_units(packet, length_size)
    return any(unit[:1] and unit[0] & 31 == _H264_IDR for unit in units)


def _prefixed_units(packet: bytes, length_size: int) -> Iterator[bytes]:
    place = 0
    while place + length_size < len(packet):
        size = int.from_bytes(packet[place : place + length_size])
        place += length_size
        yield packet[place : place + min(size, 1)]
        place += size


def made_avcc(extradata: bytes) -> bytes | None:
    """avcC of the parameter sets in a byte stream, for lengths of four bytes; None where one is missing."""
    sets = _units(extradata, lambda byte: byte & 31 == _H264_SPS)
    pictures = _units(extradata, lambda byte: byte & 31 == _H264_PPS)
    if not sets or not pictures or len(sets[0]) < 4:
        return None
    head = b"\x01" + sets[0][1:4] + b"\xff" + bytes([0xE0 | len(sets)])
    return head + _counted(sets) + bytes([len(pictures)]) + _counted(pictures) + _avcc_chroma(sets[0])


def made_hvcc(extradata: bytes) -> bytes | None:
    """hvcC of the parameter sets in a byte stream, for lengths of four bytes; None where one is missing."""
    arrays = [(kind, _hevc_units(extradata, kind)) for kind in (_HEVC_VPS, _HEVC_SPS, _HEVC_PPS)]
    if not all(units for _kind, units in arrays):
        return None
    sets = arrays[1][1][0]
    if len(sets) < 16:
        return None
    complete = 0x80
    listed = (bytes([complete | kind]) + len(units).to_bytes(2) + _counted(units) for kind, units in arrays)
    return _hvcc_head(sets) + bytes([len(arrays)]) + b"".join(listed)


def _units(stream: bytes, is_wanted: Callable[[int], bool]) -> Sequence[bytes]:
    """Each unit of a kind once, in order."""
    found = dict.fromkeys(unit for unit in units_of(stream) if is_wanted(unit[0]) and len(unit) < 0x10000)
    return tuple(found)[:_MOST_SETS]


def _hevc_units(stream: bytes, kind: int) -> Sequence[bytes]:
    return _units(stream, lambda byte: byte >> 1 & 63 == kind)


def _counted(units: Iterable[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2) + unit for unit in units)


def _without_emulation_prevention(unit: bytes) -> bytes:
    """The payload of a unit as it was before 00 00 0x got a 03 in its middle (H.264 s.7.4.1)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def _avcc_chroma(sets: bytes) -> bytes:
    """What avcC has for the high profiles: how colours are stored, how deep, and no extensions of the SPS."""
    profile = sets[1]
    if profile not in {100, 110, 122, 144}:
        return b""
    reader = BitReader(_without_emulation_prevention(sets)[4:])
    exp_golomb(reader)
    chroma = exp_golomb(reader)
    if chroma == 3:
        reader.skip(1)
    luma_depth, chroma_depth = exp_golomb(reader), exp_golomb(reader)
    return bytes([0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, 0])


def _hvcc_head(sets: bytes) -> bytes:
    """hvcC up to its arrays: profile, tier and level as the SPS has them, and nothing claimed beyond it."""
    plain = _without_emulation_prevention(sets)[2:]
    layers, is_nested = (plain[0] >> 1 & 7) + 1, plain[0] & 1
    chroma, luma_depth, chroma_depth = _hevc_chroma(plain, layers - 1)
    size_of_length = 4
    return (
        b"\x01"
        + plain[1:13]
        + b"\xf0\x00\xfc"
        + bytes([0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7])
        + bytes(2)
        + bytes([layers << 3 | is_nested << 2 | size_of_length - 1])
    )


def _hevc_chroma(sets: bytes, sub_layers: int) -> tuple[int, int, int]:
    """How colours are stored, and how much deeper than 8 bits luma and chroma are (H.265 s.7.3.2.2)."""
    reader = BitReader(sets, 13 * 8)
    told = [(reader.read(1), reader.read(1)) for _ in range(sub_layers)]
    if sub_layers:
        reader.skip(2 * (8 - sub_layers))
    reader.skip(sum(88 * has_profile + 8 * has_level for has_profile, has_level in told))
    exp_golomb(reader)
    chroma = exp_golomb(reader)
    if chroma == 3:
        reader.skip(1)
    for _side in ("width", "height"):
        exp_golomb(reader)
    if reader.read(1):
        for _edge in range(4):
            exp_golomb(reader)
    return chroma, exp_golomb(reader), exp_golomb(reader)


def exp_golomb(reader: BitReader) -> int:
    """An unsigned number of its own length (H.264 s.9.1), of 31 digits at most.

    >>> exp_golomb(BitReader(b"\\x28"))
    4
    """
    zeros = 0
    while zeros < 31 and not reader.read(1):
        zeros += 1
    return (1 << zeros) - 1 + reader.read(zeros)

"""The size of a JPEG XL picture, from its first bytes: decoding is the only way in which its library tells it.

Source: ISO/IEC 18181-1 annex D.2 (SizeHeader), 18181-2 s.4 and 9 (the container, in boxes of ISO 14496-12).
"""

import struct
from dataclasses import dataclass

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_BOX = struct.Struct(">I4s")
_PART_NUMBER = 4  # bytes before the codestream in a `jxlp`
_MOST_BOXES = 100
_NEEDED = 10  # bytes of a codestream up to the end of its size
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZES = (9, 13, 18, 30)


def jxl_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of the stored picture, before it is turned. None when they are not found.

    >>> jxl_size(bytes.fromhex("ff0a7f06"))
    (256, 256)
    """
    codestream = content if content.startswith(_CODESTREAM) else _codestream(content)
    if not codestream.startswith(_CODESTREAM) or len(codestream) < len(_CODESTREAM) + 1:
        return None
    bits = _Bits(int.from_bytes(codestream[2:_NEEDED].ljust(8, b"\x00"), "little"))
    is_small = bits.take(1) == 1
    height = _length(bits, is_small=is_small)
    ratio = bits.take(3)
    if not ratio:
        return _length(bits, is_small=is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


@dataclass(slots=True)
class _Bits:
    left: int

    def take(self, count: int) -> int:
        """The next bits, the lowest first."""
        taken = self.left & ((1 << count) - 1)
        self.left >>= count
        return taken


def _length(bits: _Bits, *, is_small: bool) -> int:
    if is_small:
        return 8 * (bits.take(5) + 1)
    return bits.take(_SIZES[bits.take(2)]) + 1


def _codestream(content: bytes) -> bytes:
    """The start of the codestream in a container; nothing when there is none."""
    if not content.startswith(_CONTAINER):
        return b""
    start = len(_CONTAINER)
    for _ in range(_MOST_BOXES):
        head = content[start : start + 16]
        if len(head) < _BOX.size:
            break
        size, kind = _BOX.unpack_from(head)
        body = start + _BOX.size
        if size == 1 and len(head) == 16:
            size, body = int.from_bytes(head[8:16], "big"), body + 8
        if kind == b"jxlc":
            return content[body : body + _NEEDED]
        if kind == b"jxlp":
            return content[body + _PART_NUMBER : body + _PART_NUMBER + _NEEDED]
        if size < _BOX.size:
            break
        start += size
    return b""

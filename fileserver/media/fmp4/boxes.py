"""The two shapes that all of ISO/IEC 14496-12 is made of: box and full box."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box: its size, its kind of four letters, and its content.

    >>> box(b"free", b"ab", b"c")
    b'\\x00\\x00\\x00\\x0bfreeabc'
    """
    content = b"".join(parts)
    return (8 + len(content)).to_bytes(4) + kind + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box whose content begins with a version and 24 flags.

    >>> full_box(b"url ", 0, 1)
    b'\\x00\\x00\\x00\\x0curl \\x00\\x00\\x00\\x01'
    """
    return box(kind, bytes([version]), flags.to_bytes(3), *parts)

"""Bytes as they were sent, to UTF-8: unpacked, and decoded, in any portions and in flat memory."""

import codecs
import io
import os
import zlib
from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa

from fileserver.tables.faults import EncodingFault

READ_SIZE = 1 << 20  # bytes
MAX_RATIO = 500
"""Bytes out for each that came, beyond `_FREE_SIZE`: tables of noughts pack 1:300 with gzip, bombs 1:1000 and more."""

_FREE_SIZE = 64 << 20  # bytes that any body may unpack to


def pieces_of(descriptor: int) -> Iterator[bytes]:
    """What a pipe or file gives, as it comes."""
    while piece := os.read(descriptor, READ_SIZE):
        yield piece


def unpacked(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """The pieces without their content coding ("gzip", "zstd", or "" for none; RFC 9110 s.8.4.1).

    Raises EncodingFault when they are damaged, end too early, or unpack to more than `MAX_RATIO` times their size.
    """
    match coding:
        case "gzip":
            return _bounded(pieces, _gunzipped)
        case "zstd":
            return _bounded(pieces, _unzstd)
        case _:
            return pieces


def as_utf8(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces as UTF-8, without a byte order mark. What claims to be UTF-8 is not looked at here.

    Raises EncodingFault at the first bytes that are no text in the encoding.
    """
    if encoding == "utf-8":
        return _without_mark(pieces)
    return filter(None, _decoded(pieces, encoding))


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(codecs.BOM_UTF8):
            break
    return filter(None, chain((head.removeprefix(codecs.BOM_UTF8),), pieces))


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    try:
        for piece in pieces:
            pending = len(decoder.getstate()[0])
            yield decoder.decode(piece).removeprefix("" if offset else "\ufeff").encode()
            offset += len(piece)
        pending, piece = len(decoder.getstate()[0]), b""
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise EncodingFault(f"no text in {encoding}", encoding, max(0, offset - pending + start)) from error


def _bounded(pieces: Iterator[bytes], unpack: Callable[[Iterator[bytes]], Iterator[bytes]]) -> Iterator[bytes]:
    size_in, size_out = 0, 0

    def counted() -> Iterator[bytes]:
        nonlocal size_in
        for piece in pieces:
            size_in += len(piece)
            yield piece

    for piece in unpack(counted()):
        size_out += len(piece)
        if size_out > _FREE_SIZE + MAX_RATIO * size_in:
            raise EncodingFault(f"the body unpacks to more than {MAX_RATIO} times its size")
        yield piece


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 1952: any number of members, one after the other."""
    member = zlib.decompressobj(wbits=31)
    is_begun = False
    try:
        for piece in pieces:
            while piece:
                yield member.decompress(piece, READ_SIZE)
                is_begun = True
                piece = member.unconsumed_tail or member.unused_data
                if member.eof:
                    member, is_begun = zlib.decompressobj(wbits=31), bool(piece)
        while is_begun and (rest := member.decompress(b"", READ_SIZE)):
            yield rest
    except zlib.error as error:
        raise EncodingFault("the body is no gzip, or is damaged", "gzip") from error
    if is_begun:
        raise EncodingFault("the gzip body ends too early", "gzip")


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """RFC 8878."""
    try:
        with pa.CompressedInputStream(pa.PythonFile(_Reading(pieces), mode="r"), "zstd") as stream:
            while piece := stream.read(READ_SIZE):
                yield piece
    except (OSError, pa.ArrowInvalid) as error:
        raise EncodingFault("the body is no zstd, is damaged, or ends too early", "zstd") from error


class _Reading(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        piece, self._rest = (self._rest[:size], self._rest[size:]) if size >= 0 else (self._rest, b"")
        return piece

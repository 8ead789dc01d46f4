"""Files whose bytes are known in advance: seeded, never compressible, quick to make at any size."""

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file and what it must hash to."""

    path: Path
    size: int
    sha256: str


def known_bytes(size: int, seed: int = 1) -> bytes:
    """`size` bytes that depend on nothing but the seed; any two places differ."""
    return b"".join(_blocks(size, seed))


def make_file(path: Path, size: int, seed: int = 1) -> KnownFile:
    """Write `known_bytes(size, seed)` to `path` without holding them in memory."""
    digest = hashlib.sha256()
    with path.open("wb", buffering=0) as file, ThreadPoolExecutor(1) as hasher:
        for block in _blocks(size, seed):
            hashing = hasher.submit(digest.update, block)
            file.write(block)
            hashing.result()
    return KnownFile(path, size, digest.hexdigest())


def sha256_of(path: Path, start: int = 0, size: int | None = None) -> str:
    """The digest, in hexadecimal, of a file's bytes: of `size` from `start` on, or of all that follow."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        return sha256_of_stream(file, size)


def sha256_of_stream(stream: IO[bytes], size: int | None = None) -> str:
    """The digest of the next `size` bytes of a stream, or of all that remain, read piece by piece."""
    digest = hashlib.sha256()
    rest = size
    while block := stream.read(MIB if rest is None else min(MIB, rest)):
        digest.update(block)
        rest = None if rest is None else rest - len(block)
    return digest.hexdigest()


def _blocks(size: int, seed: int) -> Iterator[bytes]:
    """One random MiB over and over, each with its number at its head, cut to `size` in all."""
    noise = random.Random(seed).randbytes(MIB)
    for number in range(-(-size // MIB)):
        block = number.to_bytes(8, "big") + noise[8:]
        yield block[: size - number * MIB]

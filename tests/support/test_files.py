"""Known files are known: the same bytes from the same seed, in memory, on disk and by digest."""

import hashlib
from pathlib import Path

import pytest

from tests.support.files import MIB, known_bytes, make_file, sha256_of


@pytest.mark.parametrize("size", [0, 1, MIB, 2 * MIB + 3])
def test_a_known_file_holds_the_known_bytes(tmp_path: Path, size: int) -> None:
    known = make_file(tmp_path / "file", size, seed=5)
    content = known.path.read_bytes()
    assert content == known_bytes(size, seed=5)
    assert len(content) == known.size == size
    assert known.sha256 == hashlib.sha256(content).hexdigest() == sha256_of(known.path)


def test_no_two_places_are_alike() -> None:
    content = known_bytes(3 * MIB)
    assert len({content[start : start + 64] for start in range(0, len(content), MIB)}) == 3
    assert known_bytes(64) != known_bytes(64, seed=2)


def test_a_part_has_its_own_digest(tmp_path: Path) -> None:
    known = make_file(tmp_path / "file", 2 * MIB + 3)
    part = known.path.read_bytes()[7 : 7 + MIB + 1]
    assert sha256_of(known.path, 7, MIB + 1) == hashlib.sha256(part).hexdigest()

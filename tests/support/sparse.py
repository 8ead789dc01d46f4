"""Files of many gigabytes that take no room: holes, with something known here and there."""

from collections.abc import Mapping
from pathlib import Path


def make_sparse(path: Path, size: int, known: Mapping[int, bytes]) -> None:
    """A file of this size, with these bytes at these places and zeros elsewhere."""
    with path.open("wb") as sparse:
        sparse.truncate(size)
        for place, content in known.items():
            sparse.seek(place)
            sparse.write(content)

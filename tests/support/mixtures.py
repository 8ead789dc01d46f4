"""Answers made of pieces of bodies and files, and the bytes that must come of them."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.files import MIB, known_bytes
from tests.support.scripted import ZEROCOPY, Step, body, file

SOME = known_bytes(100_000, seed=2)
LARGE = known_bytes(3 * MIB + 1, seed=3)
_CONTENT = {"some.bin": SOME, "large.bin": LARGE, "one.bin": b"1", "empty.bin": b""}


def write_files(folder: Path) -> None:
    """Put the files there that the pieces are of."""
    for name, content in _CONTENT.items():
        (folder / name).write_bytes(content)


def piece(name: str, offset: int | None = None, size: int | None = None) -> Step:
    """A piece of a file after which more comes."""
    return file(name, offset, size, more_body=True)


def seek(name: str, position: int) -> Step:
    """Move the place where a file stands."""
    return {"type": "seek", "file": name, "position": position}


END = body(is_last=True)

_PARTS = [(body(f"--{number}--"), piece("large.bin", number * 99_999, 70_000)) for number in range(20)]

MIXTURES: dict[str, tuple[Step, ...]] = {
    "a whole file": (file("some.bin"),),
    "a large file": (file("large.bin"),),
    "one byte": (file("one.bin"),),
    "no byte": (file("empty.bin"),),
    "a span": (file("some.bin", 1000, 2000),),
    "all from a place on": (file("some.bin", 99_000),),
    "as much from where it stands": (file("some.bin", size=1000),),
    "the first byte": (file("some.bin", 0, 1),),
    "the last byte": (file("some.bin", 99_999, 1),),
    "a count of none": (file("some.bin", 1000, 0),),
    "from its end on": (file("some.bin", 100_000),),
    "from beyond its end on": (file("some.bin", 200_000),),
    "a file, then an end": (piece("some.bin"), END),
    "none, then an end": (piece("empty.bin"), piece("some.bin", 5, 0), END),
    "between bodies": (body("<"), piece("some.bin"), body(">", is_last=True)),
    "a body, then a file": (body(70_000), file("large.bin", 1, 2 * MIB)),
    "more than a transport takes at once": (body(2 * MIB), piece("some.bin"), body(2 * MIB, is_last=True)),
    "files in turn": (piece("some.bin", 7, 70), piece("large.bin"), piece("one.bin"), file("some.bin")),
    "parts": (*(step for part in _PARTS for step in part), body("----", is_last=True)),
    "on from where the last ended": (piece("some.bin", size=100), piece("some.bin", size=1), file("some.bin")),
    "from where it was put": (seek("some.bin", 50_000), piece("some.bin", size=9), file("some.bin")),
    "a place does not move it": (seek("some.bin", 9), piece("some.bin", 5, 50), file("some.bin", size=5)),
    "again and again": (*(piece("one.bin", 0) for _ in range(30)), END),
    "as an object": (file("some.bin", 5, 50, handed="object"),),
    "as an object from where it stands": (seek("some.bin", 5), file("some.bin", handed="object")),
    "empty bodies around": (body(), piece("some.bin", 1, 2), body(), END),
}


def expected(steps: Iterable[Step]) -> bytes:
    """The body that these messages make, by the letter of ASGI's extension document."""
    return b"".join(_pieces(steps))


def any_steps(chance: random.Random) -> tuple[Step, ...]:
    """Up to twelve pieces of any kind."""
    return (*(_any_step(chance) for _ in range(chance.randrange(12))), chance.choice((END, file("one.bin", 0))))


def _any_step(chance: random.Random) -> Step:
    name = chance.choice(tuple(_CONTENT))
    size = len(_CONTENT[name])
    offset = chance.choice((0, size // 2, max(0, size - 1), size))
    match chance.randrange(5):
        case 0:
            return body(chance.choice((0, 1, 65_536, 300_000)))
        case 1:
            return seek(name, offset)
        case 2:
            return piece(name)
        case 3:
            return piece(name, offset)
        case _:
            return piece(name, offset, chance.choice((0, (size - offset) // 2, size - offset)))


def _pieces(steps: Iterable[Step]) -> Iterator[bytes]:
    positions: Counter[str] = Counter()
    for step in steps:
        if step["type"] == "seek":
            positions[step["file"]] = step["position"]
        elif step["type"] == ZEROCOPY:
            name, offset, count = step["file"], step.get("offset"), step.get("count")
            at = positions[name] if offset is None else offset
            taken = _CONTENT[name][at : None if count is None else at + count]
            if offset is None:
                positions[name] += len(taken)
            yield taken
        else:
            yield known_bytes(step["body"]) if isinstance(step["body"], int) else step["body"].encode()

"""Transform 40 MB made on the fly, and print by how many bytes the process grew meanwhile. Run as a module."""

import asyncio
import resource
from collections.abc import AsyncIterator

from fileserver.tables import Transform, parse_plan

_SIZE = 40_000_000
_PLAN = [("filter", "id >= 0"), ("select", "note,id"), ("format", "ndjson")]


async def _table(size: int) -> AsyncIterator[bytes]:
    yield b"id,name,note\n"
    block = b"".join(b'%07d,"a name, quoted",some note that takes some place\n' % number for number in range(1300))
    for _ in range(size // len(block)):
        yield block


async def _drain(size: int) -> int:
    transform = Transform(parse_plan(_PLAN))
    return sum([len(piece) async for piece in transform.output(_table(size))])


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    asyncio.run(_drain(2_000_000))
    before = _peak()
    produced = asyncio.run(_drain(_SIZE))
    print(produced, _peak() - before)

"""The first bytes of a stored file, for what shows it."""

from dataclasses import dataclass

from storage import Entry, IsFolder, Key, Library, NotFound, UnderFile


@dataclass(frozen=True, slots=True)
class Beginning:
    """A version of a file, and its first bytes."""

    entry: Entry
    content: bytes

    @property
    def is_whole(self) -> bool:
        """Whether these are all its bytes."""
        return len(self.content) == self.entry.size


async def beginning_of(library: Library, key: Key, size: int) -> Beginning | None:
    """The first `size` bytes of a file; None where no file is. Raises StoreDamaged, StoreUnavailable."""
    try:
        async with library.open(key) as reader:
            content = bytearray()
            async for chunk in reader.chunks(range(min(size, reader.entry.size)), size):
                content += chunk
            return Beginning(await library.describe(reader), bytes(content))
    except (NotFound, IsFolder, UnderFile):
        return None

"""Numbers of any width out of the heads of bit streams: most significant bit first, as ISO and AOM write them."""

from dataclasses import dataclass


@dataclass(slots=True)
class BitReader:
    """Reads on from `place`, in bits. Past the end there are zeros, so that a cut head is no special case."""

    content: bytes
    place: int = 0

    def read(self, width: int) -> int:
        """The next `width` bits as a number.

        >>> reader = BitReader(bytes([0b10100000]))
        >>> reader.read(1), reader.read(3), reader.read(16)
        (1, 2, 0)
        """
        value = 0
        for place in range(self.place, self.place + width):
            byte = self.content[place // 8] if place // 8 < len(self.content) else 0
            value = value << 1 | byte >> 7 - place % 8 & 1
        self.place += width
        return value

    def skip(self, width: int) -> None:
        """Pass over the next `width` bits."""
        self.place += width

"""A request's header fields (RFC 9110 s.5), as plain values."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fields:
    """Field lines in their order: names in lower case, values as Latin-1 text without white space around them."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_asgi(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Fields":
        """The fields of an ASGI scope.

        >>> Fields.from_asgi([(b"Range", b" bytes=0-1 ")]).lines("range")
        ('bytes=0-1',)
        """
        return cls(
            tuple((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in headers)
        )

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of all lines of a field."""
        return tuple(value for each, value in self.pairs if each == name)

    def joined(self, name: str) -> str | None:
        """All lines of a list field as the one list they are (RFC 9110 s.5.3); None where there is none."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def only(self, name: str) -> str | None:
        """The value of a field that has exactly one line."""
        lines = self.lines(name)
        return lines[0] if len(lines) == 1 else None

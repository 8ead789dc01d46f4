"""A request's header fields (RFC 9110 s.5), as plain values."""

from collections.abc import Collection, Iterable


class Fields:
    """Field lines in their order: names in lower case, values as Latin-1 text without white space around them."""

    __slots__ = ("_lines",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lines.setdefault(name, []).append(value)

    @classmethod
    def from_asgi(cls, headers: Iterable[tuple[bytes, bytes]]) -> "Fields":
        """The fields of an ASGI scope.

        >>> Fields.from_asgi([(b"Range", b" bytes=0-1 ")]).lines("range")
        ('bytes=0-1',)
        """
        return cls((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")) for name, value in headers)

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of all lines of a field."""
        return tuple(self._lines.get(name, ()))

    def has_none(self, names: Collection[str]) -> bool:
        """Whether there is no line of any of these fields."""
        return self._lines.keys().isdisjoint(names)

    def joined(self, name: str) -> str | None:
        """All lines of a list field as the one list they are (RFC 9110 s.5.3); None where there is none."""
        lines = self._lines.get(name)
        return None if lines is None else ", ".join(lines)

    def only(self, name: str) -> str | None:
        """The value of a field that has exactly one line."""
        lines = self._lines.get(name, ())
        return lines[0] if len(lines) == 1 else None

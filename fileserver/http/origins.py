"""Whose pages may use this server: the origins that its operator trusts (WHATWG Fetch, "CORS protocol")."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Origins as browsers write them in Origin, or all there are."""

    names: frozenset[str]
    is_any: bool

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin may; a request that names none was made by no page of another origin."""
        return origin is not None and (self.is_any or origin in self.names)


@lru_cache(maxsize=16)
def parse_origins(text: str | None) -> AllowedOrigins:
    """The setting's text: origins with commas between them, `*` for any, None for none.

    >>> [parse_origins(text).allows("https://a.example") for text in ("https://a.example,http://b", "*", None)]
    [True, True, False]
    >>> parse_origins("https://a.example").allows("null")
    False
    """
    names = frozenset((text or "").split(","))
    return AllowedOrigins(names - {"", "*"}, is_any="*" in names)

"""Names as people look for them: by some words of theirs, whatever the case and the accents.

Source: Unicode s.3.13 (caseless matching), UAX 15 (decomposition).
"""

import unicodedata
from dataclasses import dataclass

MAX_WORDS = 16
"""More of them narrow nothing, and every name is compared with each: the rest is not looked at."""

_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ŀ": "l"})
"""Letters that are no letter with an accent to Unicode, though they are to people."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words to look for in names, folded."""

    words: tuple[str, ...]

    def are_in(self, name: str) -> bool:
        """Whether a name holds each of them somewhere.

        >>> words_of("KOLN lodz").are_in("Łódź – Köln.gpx"), words_of("koln paris").are_in("Köln.gpx")
        (True, False)
        """
        text = folded(name)
        return all(word in text for word in self.words)


def words_of(text: str) -> Words | None:
    """The words of what somebody typed; None where there are none.

    >>> words_of(" Été  2024 été ")
    Words(words=('ete', '2024'))
    """
    words = tuple(dict.fromkeys(folded(text).split()))
    return Words(words[:MAX_WORDS]) if words else None


def folded(text: str) -> str:
    """Text without the differences that people do not look for.

    >>> folded("Straße"), folded("ÉTÉ") == folded("e\\u0301te\\u0301")
    ('strasse', True)
    """
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold().translate(_PLAIN)

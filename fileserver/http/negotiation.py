"""Content negotiation by Accept and Accept-Encoding (RFC 9110 s.12.5.1, s.12.5.3)."""

import re
from collections.abc import Sequence

_RANGE = re.compile(r"\s*(?P<range>[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+)\s*(?P<parameters>(?:;[^,]*)?)", re.ASCII)
# s.12.4.2; Java's own client writes .2 for 0.2
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?|\.\d{1,3})\s*(?:;|$)", re.ASCII | re.IGNORECASE)


def choose(lines: Sequence[str], offers: Sequence[str]) -> str | None:
    """The offer that a client likes best, the earlier of two it likes the same; None when it takes none.

    Without a field, or where nothing of it can be read, the first offer. Parameters other than the weight are passed
    over: a client that asks for `text/csv;header=present` is better served by `text/csv` than by a refusal.

    >>> choose(["text/html,*/*;q=0.8"], ["application/json", "text/html"])
    'text/html'
    """
    ranges = [parsed for element in ",".join(lines).split(",") if (parsed := _parsed(element))]
    if not ranges:
        return offers[0]
    best = max(offers, key=lambda offer: _quality(ranges, offer))
    return best if _quality(ranges, best) > 0 else None


def accepts_coding(lines: Sequence[str], coding: str) -> bool:
    """Whether a client takes a content coding; one that does not say so is sent the bytes as they are.

    >>> accepts_coding(["gzip, deflate, br"], "gzip"), accepts_coding(["*;q=0.5, gzip;q=0"], "gzip")
    (True, False)
    >>> accepts_coding([], "gzip")
    False
    """
    named = dict(_coding(element) for element in ",".join(lines).split(","))
    return named.get(coding, named.get("*", 0.0)) > 0


def _coding(element: str) -> tuple[str, float]:
    name, semicolon, parameters = element.partition(";")
    quality = _QUALITY.search(semicolon + parameters)
    return name.strip(" \t").lower(), float(quality[1]) if quality else 1.0


def _parsed(element: str) -> tuple[str, float] | None:
    match = _RANGE.fullmatch(element)
    if match is None:
        return None
    quality = _QUALITY.search(match["parameters"])
    return match["range"].lower(), min(float(quality[1]), 1.0) if quality else 1.0


def _quality(ranges: Sequence[tuple[str, float]], offer: str) -> float:
    """The most specific range that matches decides."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == pattern]
        if qualities:
            return max(qualities)
    return 0.0

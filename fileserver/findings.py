"""What a verification says of files on standard output, whether it ran here or on a server."""

import json
from collections.abc import Mapping

KINDS = ("intact", "damaged", "missing", "foreign")
Finding = Mapping[str, object]
"""One file: `finding` (of KINDS), `key`, `size`, `expected` and `found` (SHA-256 in hex); None is what is not known."""


class Told:
    """Findings as lines for people, or as JSON."""

    def __init__(self, *, is_quiet: bool, is_json: bool) -> None:
        self._is_quiet = is_quiet
        self._is_json = is_json

    def add(self, finding: Finding) -> None:
        """Tell of a file, unless it is as it should be."""
        kind = finding["finding"]
        if kind != "intact" and not (self._is_quiet and kind == "foreign"):
            _print(json.dumps(finding) if self._is_json else line_of(finding))

    def end(self, counts: Mapping[str, int], *, learned: int, size: int) -> None:
        """Tell of all: how many of each kind, and how many bytes were read."""
        counted = {kind: counts[kind] for kind in KINDS}
        if self._is_json:
            _print(json.dumps({"summary": {**counted, "learned": learned, "bytes": size}}))
        elif not self._is_quiet:
            words = ", ".join(f"{count} {kind}" for kind, count in counted.items())
            _print(f"{words}{f' ({learned} learned)' if learned else ''}; {size} bytes read")


def line_of(finding: Finding) -> str:
    """A finding in words.

    >>> line_of({"finding": "missing", "key": "a.txt", "size": None, "expected": "00", "found": None})
    'missing a.txt'
    """
    return f"{finding['finding']:<8}{shown(str(finding['key']))}{_why(finding)}"


def shown(key: str) -> str:
    """The key; quoted and escaped where a terminal would do something with it.

    >>> shown("a.txt"), shown("a\\x1b[2J")
    ('a.txt', '"a\\\\u001b[2J"')
    """
    return key if key.isprintable() else json.dumps(key)


def _why(finding: Finding) -> str:
    match finding:
        case {"finding": "damaged", "found": str(found), "expected": str(expected)}:
            return f" (sha-256 {found} instead of {expected})"
        case {"finding": "damaged"}:
            return " (it cannot be read)"
        case {"finding": "foreign", "found": str(found)}:
            return f" (learned: sha-256 {found})"
        case _:
            return ""


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201

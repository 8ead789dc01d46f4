"""Digest fields (RFC 9530): dictionaries of byte sequences (RFC 8941 s.3.2, s.3.3.5)."""

import base64
import re
from collections.abc import Sequence

_SIZES = {"sha-256": 32, "sha-512": 64}
"""The algorithms we check and their digests' bytes; the others are deprecated or unknown and are ignored (s.5)."""
_MD5_SIZE = 16
_ITEM = r'(?:"(?:[^"\\]|\\.)*"|[^",;])*'  # a string may hold commas and semicolons (RFC 8941 s.3.3.3)
_MEMBER = re.compile(rf"([a-z*][a-z0-9_.*-]*)(?:=({_ITEM}))?((?:;{_ITEM})*)")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


class MalformedDigest(ValueError):
    """The field breaks its grammar, or a digest has not the length of its algorithm."""


def format_digest(algorithm: str, digest: bytes) -> str:
    """A digest as a field carries it.

    >>> format_digest("sha-256", bytes(3))
    'sha-256=:AAAA:'
    """
    return f"{algorithm}=:{base64.b64encode(digest).decode()}:"


def parse_digests(lines: Sequence[str]) -> dict[str, bytes]:
    """The SHA-256 and SHA-512 digests of a Content-Digest or Repr-Digest field. Raises MalformedDigest.

    >>> parse_digests(["md5=:AAAA:"])
    {}
    """
    digests: dict[str, bytes] = {}
    for algorithm, value in _members(lines):
        if algorithm in _SIZES:
            digests[algorithm] = _digest(value, _SIZES[algorithm])
    return digests


def parse_content_md5(text: str) -> bytes:
    """The digest of a Content-MD5 field (RFC 1864), which old clients and those of S3 send. Raises MalformedDigest.

    >>> len(parse_content_md5("1B2M2Y8AsgTpgAmY7PhCfg=="))
    16
    """
    return _digest(f":{text}:", _MD5_SIZE)


def wants(lines: Sequence[str], algorithm: str) -> bool:
    """Whether a Want-Repr-Digest field leaves room for an algorithm: it is absent, or prefers it above 0 (s.4).

    A field that names others alone wants none of ours; one that cannot be read is as good as absent.

    >>> wants([], "sha-256"), wants(["sha-256=3"], "sha-256"), wants(["sha-512=3"], "sha-256")
    (True, True, False)
    """
    try:
        preferences = dict(_members(lines))
    except MalformedDigest:
        return True
    if not all(value.isdecimal() for value in preferences.values()):
        return True
    return not preferences or preferences.get(algorithm, "0") != "0"


def _members(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Keys and the text of their values, over all lines as one (RFC 8941 s.4.2): an empty field has none."""
    text = ",".join(line for line in lines if line.strip(" \t")).strip(" \t")
    members: list[tuple[str, str]] = []
    position = 0
    while text:
        match = _MEMBER.match(text, position)
        if match is None:
            raise MalformedDigest(text)
        members.append((match[1], (match[2] or "").rstrip(" \t")))
        if match.end() == len(text):
            break
        comma = _COMMA.match(text, match.end())
        if comma is None:
            raise MalformedDigest(text)
        position = comma.end()
    return members


def _digest(value: str, size: int) -> bytes:
    if len(value) < 2 or value[0] != ":" or value[-1] != ":":
        raise MalformedDigest(value)
    encoded = value[1:-1]
    padding = "=" * (-len(encoded) % 4)  # left out by some, and no reason to fail (RFC 8941 s.4.2.7)
    try:
        digest = base64.b64decode(encoded + padding, validate=True)
    except ValueError as error:  # also where the text is not ASCII
        raise MalformedDigest(value) from error
    if len(digest) != size:
        raise MalformedDigest(value)
    return digest

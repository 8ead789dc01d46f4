"""What a server says of the file it serves, and whether a later answer speaks of the same one."""

import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from urllib3 import HTTPHeaderDict

from fileserver.client.errors import Failed, StartOver
from fileserver.client.spans import Span, parse_content_range, range_field
from fileserver.client.web import Incoming, told_digests

_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Representation:
    """One version of a file."""

    size: int | None
    """Bytes; None where only its end will tell."""
    validator: str | None
    """What If-Range may carry: a strong ETag, else a date that is old enough; None where no version is told."""
    digests: dict[str, bytes]
    has_ranges: bool

    @property
    def is_resumable(self) -> bool:
        """Whether pieces of this version can be asked for, and of no other."""
        return self.size is not None and self.has_ranges and self.validator is not None

    def is_same(self, other: "Representation") -> bool:
        """Whether what two URLs tell is surely one version: one size, and one digest or one strong ETag.

        >>> one = Representation(5, '"a"', {}, True)
        >>> one.is_same(one), one.is_same(Representation(5, '"b"', {}, True))
        (True, False)
        """
        common = self.digests.keys() & other.digests.keys()
        if self.size is None or self.size != other.size or any(self.digests[n] != other.digests[n] for n in common):
            return False
        tag = self.validator or ""
        return bool(common) or (tag.startswith('"') and tag == other.validator)


def whole_of(incoming: Incoming) -> Representation:
    """What a 200 says. Raises Failed where nothing would tell a whole body from a cut one."""
    digests = told_digests(incoming.fields)
    if incoming.size is None and not incoming.is_chunked and not digests:
        raise Failed("the server tells neither length nor digest, so that nobody can know if the file is whole")
    has_ranges = "bytes" in incoming.fields.get("accept-ranges", "").lower()
    return Representation(incoming.size, validator_of(incoming.fields), digests, has_ranges)


def unwanted_coding(incoming: Incoming) -> str | None:
    """What to say of a body that is encoded though nobody asked for that. It is kept as it comes: digests mean that."""
    coding = incoming.fields.get("content-encoding", "identity").strip().lower()
    return None if coding in ("", "identity") else f"the server sends this file encoded ({coding}), and so it is kept"


def check_part(incoming: Incoming, span: Span, known: Representation) -> dict[str, bytes]:
    """The digests that a 206 tells, when it carries exactly this span of the known version.

    Raises StartOver where the version is another (some servers ignore If-Range, RFC 9110 s.15.3.7), Failed where the
    answer is not one to the question.
    """
    field = incoming.fields.get("content-range")
    told = parse_content_range(field)
    if told is None:
        raise Failed(f"the server answers a range with Content-Range: {field}")
    if told[1] not in (None, known.size):
        raise StartOver("the file changed on the server")
    tag = incoming.fields.get("etag")
    if tag is not None and known.validator is not None and known.validator.startswith('"') and tag != known.validator:
        raise StartOver("the file changed on the server")
    if told[0] != span or incoming.size not in (None, len(span)):
        raise Failed(f"asked for {range_field(span)}, the server sends {field}")
    return told_digests(incoming.fields)


def validator_of(fields: HTTPHeaderDict) -> str | None:
    """What If-Range may carry (RFC 9110 s.13.1.5): no weak tag, no date within the second of the answer (s.8.8.2.2).

    >>> validator_of(HTTPHeaderDict({"ETag": '"a"'})), validator_of(HTTPHeaderDict({"ETag": 'W/"a"'}))
    ('"a"', None)
    """
    tag = fields.get("etag", "")
    if _STRONG.fullmatch(tag):
        return tag
    modified = fields.get("last-modified")
    return modified if modified and not tag and _is_strong_date(modified, fields.get("date", "")) else None


def _is_strong_date(modified: str, now: str) -> bool:
    try:
        return parsedate_to_datetime(now) - parsedate_to_datetime(modified) >= timedelta(seconds=1)
    except (ValueError, TypeError):  # unreadable, or only one of them knows its zone
        return False

"""What a client says in tus 1.0.0, and what the answers mean (https://tus.io/protocols/resumable-upload)."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3 import HTTPHeaderDict

from fileserver.client.errors import Broken, ClientError, Failed, Refused, StartOver
from fileserver.client.retries import retry_after_s
from fileserver.client.web import Answer, Body, Web, refusal
from fileserver.http.problems import FOLDER_IN_THE_WAY, KEY_BUSY, KEY_TAKEN, MISMATCHING_OFFSET, TYPE_PREFIX

VERSION = "1.0.0"

SPEAKS = {"Tus-Resumable": VERSION}
"""What every request says."""

_CONFLICT, _GONE = 409, (404, 410)


class TooLarge(Broken):
    """A request of this size is refused on its way: smaller ones may pass."""


class OffsetDiffers(Broken):
    """The server has more or less than was thought."""


class Unplaceable(Failed):
    """The upload can never be put where it was to go: its bytes are of no use there."""


@dataclass(frozen=True, slots=True)
class NoOffer:
    """A URL that creates no uploads in tus."""

    status: int
    """What OPTIONS was answered with."""

    @property
    def is_told(self) -> bool:
        """Whether the answer says that; another may have come from something else on the way, or be a mistaken URL."""
        return self.status < 300 or self.status in (405, 501)


@dataclass(frozen=True, slots=True)
class Offer:
    """A URL that creates uploads, and what else its server can do."""

    url: str
    extensions: frozenset[str]
    checksum: str | None
    """The best algorithm of Upload-Checksum that both know."""
    max_size: int | None


def discover(web: Web, url: str) -> Offer | NoOffer:
    """What a URL offers. Raises Broken."""
    answer = web.ask("OPTIONS", url)
    error = None if answer.status < 300 else refusal(answer)
    if isinstance(error, Broken):
        raise error
    offer = None if error else offer_of(answer.url, answer.fields)
    return offer or NoOffer(answer.status)


def offer_of(url: str, fields: HTTPHeaderDict) -> Offer | None:
    """What the answer to OPTIONS says.

    >>> offer_of("/u", HTTPHeaderDict({"Tus-Version": "1.0.0,0.2.2", "Tus-Extension": "creation"})).extensions
    frozenset({'creation'})
    >>> offer_of("/u", HTTPHeaderDict({"Tus-Version": "1.0.0", "Tus-Extension": "creation", "Allow": "HEAD, PATCH"}))
    """
    extensions = _listed(fields.get("tus-extension"))
    methods = _listed(fields.get("allow"))
    if VERSION not in _listed(fields.get("tus-version")) or "creation" not in extensions:
        return None
    if methods and "POST" not in methods:
        return None  # an upload, or a file: not where uploads are created
    algorithms = _listed(fields.get("tus-checksum-algorithm")) if "checksum" in extensions else frozenset()
    checksum = next((each for each in ("sha256", "sha1") if each in algorithms), None)
    return Offer(url, extensions, checksum, _number(fields.get("tus-max-size")))


def metadata(pairs: Iterable[tuple[str, str]]) -> str:
    """An Upload-Metadata field.

    >>> metadata([("filename", "a.txt"), ("replace", "true")])
    'filename YS50eHQ=,replace dHJ1ZQ=='
    """
    return ",".join(f"{key} {b64encode(value.encode('utf-8', 'surrogateescape')).decode()}" for key, value in pairs)


def create(web: Web, offer: Offer, size: int, described: str) -> str:
    """The URL of a new upload. Raises Refused, Broken."""
    fields = {**SPEAKS, "Upload-Length": str(size), "Upload-Metadata": described}
    answer = web.ask("POST", offer.url, fields)
    if answer.status == _CONFLICT and _problem_type(answer) == KEY_TAKEN.uri:
        raise Refused("a file of this name is there already: --replace replaces it", status=_CONFLICT)
    if answer.status == _CONFLICT and _problem_type(answer) == KEY_BUSY.uri:
        raise _busy(answer)
    if answer.status != 201:
        raise refusal(answer)
    if (location := answer.fields.get("location")) is None:
        raise Failed("the server created an upload and does not say where")
    return urljoin(answer.url, location)


def offset(web: Web, url: str, size: int) -> int:
    """How many bytes the server has. Raises StartOver where it does not know the upload any more, or knows another."""
    answer = web.ask("HEAD", url, SPEAKS)
    if answer.status in _GONE:
        raise StartOver("the server has forgotten the upload")
    if answer.status not in (200, 204):
        raise refusal(answer)
    length = _number(answer.fields.get("upload-length"))
    return _checked_offset(answer, size) if length in (None, size) else _another()


def append(web: Web, url: str, position: int, body: Body, *, length: int, size: int, checksum: str | None) -> Answer:
    """Send `length` bytes for this position; the answer's offset is checked. Raises Broken and its kinds, Refused."""
    fields = {
        **SPEAKS,
        "Upload-Offset": str(position),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(length),
        "Want-Repr-Digest": "sha-256=10",
    }
    answer = web.ask("PATCH", url, fields if checksum is None else {**fields, "Upload-Checksum": checksum}, body=body)
    if answer.status in (200, 204):
        if _checked_offset(answer, size) != position + length:
            raise OffsetDiffers("the server took another count of bytes than was sent")
        return answer
    if answer.status in _GONE:
        raise StartOver("the server has forgotten the upload")
    raise _error(answer)


def abandon(web: Web, url: str) -> None:
    """Tell the server that nothing more will come."""
    try:
        web.ask("DELETE", url, SPEAKS)
    except (Broken, Failed):
        return  # it will expire


def _error(answer: Answer) -> ClientError:
    """What the refusal of bytes means."""
    match answer.status:
        case 409:
            return _conflict(answer)
        case 413:
            return TooLarge("the server takes no requests of this size")
        case 460:
            return Broken("the bytes were damaged on their way")
    return refusal(answer)


def _conflict(answer: Answer) -> ClientError:
    """What a 409 means: another offset (tus 1.0.0, PATCH), unless the server names another problem."""
    told = _problem_type(answer)
    if told in (KEY_TAKEN.uri, FOLDER_IN_THE_WAY.uri):
        return Unplaceable(str(refusal(answer)))
    if told == KEY_BUSY.uri:
        return _busy(answer)
    is_ours = told.startswith(TYPE_PREFIX)
    if told in ("", "about:blank", MISMATCHING_OFFSET.uri) or ("upload-offset" in answer.fields and not is_ours):
        return OffsetDiffers("the server is at another offset")
    return Failed(str(refusal(answer)))  # no Refused: that, to an upload which is complete, means that it is


def _busy(answer: Answer) -> Broken:
    wait_s = retry_after_s(answer.fields.get("retry-after"))
    return Broken(str(refusal(answer)), retry_after_s=wait_s, status=answer.status)


def _problem_type(answer: Answer) -> str:
    """The `type` of a problem document (RFC 9457 s.3.1.1); empty for an answer that is none."""
    media_type = answer.fields.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/problem+json":
        return ""
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return ""
    told = problem.get("type") if isinstance(problem, dict) else None
    return told if isinstance(told, str) else ""


def _checked_offset(answer: Answer, size: int) -> int:
    told = _number(answer.fields.get("upload-offset"))
    if told is None or told > size:
        raise Failed(f"the server answers with Upload-Offset: {answer.fields.get('upload-offset')}")
    return told


def _another() -> int:
    raise StartOver("the server has another upload there")


def _listed(text: str | None) -> frozenset[str]:
    return frozenset(each.strip() for each in (text or "").split(",") if each.strip())


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 20 else None

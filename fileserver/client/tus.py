"""What a client says in tus 1.0.0, and what the answers mean (https://tus.io/protocols/resumable-upload)."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3 import HTTPHeaderDict

from fileserver.client.errors import Broken, Failed, Refused, StartOver
from fileserver.client.web import Answer, Body, Web, refusal

VERSION = "1.0.0"

SPEAKS = {"Tus-Resumable": VERSION}
"""What every request says."""

_TAKEN, _GONE, _TOO_LARGE, _CHECKSUM = 409, (404, 410), 413, 460


class TooLarge(Broken):
    """A request of this size is refused on its way: smaller ones may pass."""


class OffsetDiffers(Broken):
    """The server has more or less than was thought."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A URL that creates uploads, and what else its server can do."""

    url: str
    extensions: frozenset[str]
    checksum: str | None
    """The best algorithm of Upload-Checksum that both know."""
    max_size: int | None


def discover(web: Web, url: str) -> Offer | None:
    """What a URL offers; None where it creates no uploads in tus. Raises Broken."""
    answer = web.ask("OPTIONS", url)
    error = None if answer.status < 300 else refusal(answer)
    if isinstance(error, Broken):
        raise error
    return None if error else offer_of(answer.url, answer.fields)


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
    if answer.status == _TAKEN:
        raise Refused("a file of this name is there already: --replace replaces it", status=_TAKEN)
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
    raise _UNLUCKY[answer.status](_WORDS[answer.status]) if answer.status in _UNLUCKY else refusal(answer)


def abandon(web: Web, url: str) -> None:
    """Tell the server that nothing more will come."""
    try:
        web.ask("DELETE", url, SPEAKS)
    except (Broken, Failed):
        return  # it will expire


_UNLUCKY: Mapping[int, type[Broken]] = {_TAKEN: OffsetDiffers, _TOO_LARGE: TooLarge, _CHECKSUM: Broken}
_WORDS = {
    _TAKEN: "the server is at another offset",
    _TOO_LARGE: "the server takes no requests of this size",
    _CHECKSUM: "the bytes were damaged on their way",
}


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

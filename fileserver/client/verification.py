"""`fileserver verify URL`: a server reads its files again, and what it found is told as of a folder of this machine."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from fileserver.client.errors import Broken, ClientError, Failed
from fileserver.client.job import Job, begin_job, below, cancel_job, watch_job
from fileserver.client.job_bar import JobBar
from fileserver.client.members import Members, members_of, number_of, text_of
from fileserver.client.place import place_of
from fileserver.client.retries import LIVE_RETRIES, LIVE_WAIT_S, Patience
from fileserver.client.web import Web, refusal
from fileserver.findings import KINDS, Finding, Told

_NDJSON = "application/x-ndjson"
_MOST_KEPT = 1 << 20  # bytes of one finding


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What the command line says."""

    prefix: str = ""
    """How the keys begin, after what the URL says of it."""
    fields: tuple[tuple[str, str], ...] = ()
    retries: int = LIVE_RETRIES
    is_quiet: bool = False
    is_json: bool = False


def verify(url: str, options: VerifyOptions) -> bool:
    """Whether no file is damaged or missing; they are told of on standard output. Raises ClientError.

    An interrupt (KeyboardInterrupt) ends the server's work too.
    """
    web = Web(url, options.fields)
    place = place_of(web.home)
    prefix = place.prefix + options.prefix
    with JobBar(is_quiet=options.is_quiet) as bar:
        patience = Patience(options.retries, bar.say, longest_s=LIVE_WAIT_S)
        job_url = begin_job(web, place.url("/jobs"), {"work": "verify", "prefix": prefix}, patience)
        job = _watched(web, job_url, patience, bar)
    counts = {kind: job.count(kind) for kind in KINDS}
    if prefix and not any(counts.values()):
        raise Failed(f"{prefix}: no file has a key that begins so")
    told = Told(is_quiet=options.is_quiet, is_json=options.is_json)
    for finding in _findings(web, below(job_url, "findings"), patience):
        told.add(finding)
    told.end(counts, learned=0, size=job.bytes_done)
    return not counts["damaged"] and not counts["missing"]


def _watched(web: Web, job_url: str, patience: Patience, bar: JobBar) -> Job:
    try:
        job = watch_job(web, job_url, patience, bar)
    except KeyboardInterrupt:
        with suppress(ClientError):
            cancel_job(web, job_url)
        raise
    except ClientError as error:
        raise Failed(f"{error}; it may go on without us: fileserver job {job_url}") from error
    if job.state != "done":
        raise Failed(job.as_line())
    return job


def _findings(web: Web, url: str, patience: Patience) -> Iterator[Finding]:
    """What a job that is over has found, each once, over as many connections as it takes. Raises Failed."""
    told = 0
    while True:
        try:
            for number, finding in enumerate(_asked(web, url)):
                if number >= told:
                    yield finding
                    told = number + 1
        except Broken as error:
            patience.after(error)
        else:
            return


def _asked(web: Web, url: str) -> Iterator[Finding]:
    """All findings by one answer. Raises Broken where it ends without the record that is its end, and Failed."""
    with closing(web.open(url, {"Accept": _NDJSON})) as incoming:
        if incoming.status != 200:
            raise refusal(incoming.answer())
        rest = b""
        for block in incoming.blocks():
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > _MOST_KEPT:
                raise Failed("the server sends a line that does not end")
            for line in lines:
                members = members_of(line)
                match text_of(members, "type"):
                    case "end":
                        return
                    case "error":
                        raise Broken(f"the server broke off: {text_of(members, 'detail')}")
                yield _finding(members)
    raise Broken("the findings ended early")


def _finding(members: Members) -> Finding:
    """A finding with what we print alone, and nothing in it that would command a terminal. Raises Failed."""
    kind, key, size = text_of(members, "finding"), text_of(members, "key"), number_of(members, "size")
    digests = {name: text_of(members, name) for name in ("expected", "found")}
    if kind not in KINDS or key is None or any(each is not None and not each.isalnum() for each in digests.values()):
        raise Failed("the server tells of findings in a way that is not known here")
    return {"finding": kind, "key": key, "size": size, **digests}

"""A job on a server: begun, watched to its end, cancelled."""

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from fileserver.client.errors import Broken, Failed, Unreachable
from fileserver.client.following import events_of
from fileserver.client.members import Members, inner, members_of, number_of, text_of
from fileserver.client.retries import LIVE_WAIT_S, Patience
from fileserver.client.web import Web, refusal

_OVER = frozenset({"done", "failed", "cancelled"})
_COUNTS = ("intact", "damaged", "missing", "foreign", "learned", "not_learned", "rows_in", "rows_out", "rows_rejected")
_ACCEPTED, _NO_CONTENT = 202, 204


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its server told of it; `members` are all it said. Sizes are bytes, `rate` bytes a second."""

    state: str
    work: str
    bytes_done: int
    bytes_total: int | None
    rate: float | None
    time_left_s: float | None
    members: Members

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in _OVER

    def count(self, name: str) -> int:
        """One of the counts of its work."""
        return int(number_of(self.members, name) or 0)

    def as_json(self) -> str:
        """All that the server told, as a line of JSON."""
        return json.dumps(self.members)

    def as_line(self) -> str:
        """How it stands, as a person reads it."""
        fault = inner(self.members, "fault")
        reason = next((said for name in ("detail", "reason", "code") if (said := text_of(fault, name))), None)
        told = reason or self.counts_text()
        return f"{self.work} {self.state}{told and f': {told}'}; {self.bytes_done} bytes read"

    def counts_text(self) -> str:
        """What it has counted so far."""
        counted = ((name, number_of(self.members, name)) for name in _COUNTS)
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counted if count is not None)


class Watcher(Protocol):
    """Who looks on."""

    def show(self, job: Job) -> None:
        """The job is so far."""

    def say(self, text: str) -> None:
        """Something came between."""


def job_of(content: str | bytes) -> Job:
    """What a server says of a job. Raises Failed where it says something else.

    >>> job_of('{"state": "running", "bytes_done": 7, "bytes_total": null}').bytes_done
    7
    """
    members = members_of(content)
    state = text_of(members, "state")
    if state is None:
        raise Failed("this is not a job")
    total = number_of(members, "bytes_total")
    return Job(
        state=state,
        work=text_of(members, "work") or "transform",
        bytes_done=int(number_of(members, "bytes_done") or 0),
        bytes_total=None if total is None else int(total),
        rate=number_of(members, "rate"),
        time_left_s=number_of(members, "time_left_s"),
        members=members,
    )


def end_of_job(
    url: str, fields: tuple[tuple[str, str], ...], retries: int, watcher: Watcher, *, may_cancel: bool
) -> Job:
    """The job that a URL names, once it is over; `may_cancel` has it ended soon. Raises ClientError."""
    web = Web(url, fields)
    patience = Patience(retries, watcher.say, longest_s=LIVE_WAIT_S)
    if may_cancel:
        found = find_job(web, web.home, patience)
        if found.is_over or not cancel_job(web, web.home):  # one that is over would be forgotten
            return found
    return watch_job(web, web.home, patience, watcher)


def begin_job(web: Web, url: str, work: Members, patience: Patience) -> str:
    """The URL of a new job. Raises Failed.

    What broke off while it was asked for is not asked for again: there might be two.
    """
    body = json.dumps(work).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    while True:
        try:
            answer = web.ask("POST", url, fields, body=body)
            if answer.status != _ACCEPTED:
                raise refusal(answer)
        except Broken as error:
            if error.status is None and not isinstance(error, Unreachable):
                raise Failed(f"{error}; whether the work has begun is not known") from error
            patience.after(error)
        else:
            return urljoin(answer.url, answer.fields.get("location", ""))


def watch_job(web: Web, url: str, patience: Patience, watcher: Watcher) -> Job:
    """The job when it is over. Raises Failed."""
    with closing(events_of(web, below(url, "events"), patience)) as events:
        for event in events:
            job = job_of(event.content)
            watcher.show(job)
            if job.is_over:
                return job
    return find_job(web, url, patience)


def find_job(web: Web, url: str, patience: Patience) -> Job:
    """The job as it is now. Raises Failed."""
    while True:
        try:
            answer = web.ask("GET", url, {"Accept": "application/json"})
            if answer.status != 200:
                raise refusal(answer)
        except Broken as error:
            patience.after(error)
        else:
            return job_of(answer.body)


def cancel_job(web: Web, url: str) -> bool:
    """Have a job ended soon; whether there was something to end: one that is over is forgotten. Raises ClientError."""
    answer = web.ask("DELETE", url)
    if answer.status not in (_ACCEPTED, _NO_CONTENT):
        raise refusal(answer)
    return answer.status == _ACCEPTED


def below(url: str, name: str) -> str:
    """The URL of something that a job has.

    >>> below("http://h/jobs/a", "events")
    'http://h/jobs/a/events'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}", query="", fragment=""))

"""A server that does one job as a test tells it: `/jobs`, `/jobs/one`, its events and findings."""

import json
from dataclasses import dataclass, field
from typing import Any

from fileserver.http import event_stream
from tests.client.scripted_web import Asked, Reply, Said

SSE = {"Content-Type": "text/event-stream"}
NDJSON = {"Content-Type": "application/x-ndjson"}
COUNTS = {"intact": 2, "damaged": 0, "missing": 0, "foreign": 0}


def told(state: str, **members: Any) -> dict[str, Any]:
    """A verification as a server tells of it."""
    known = {"work": "verify", "state": state, "bytes_total": 100, "bytes_done": 0, "rate": None, "time_left_s": None}
    return {"id": "one", **known, "fault": None, **COUNTS, **members}


@dataclass(slots=True)
class Work:
    """A job whose record at each moment is in `records`; of each answer with events so many come as `told_at_once`."""

    records: list[dict[str, Any]]
    findings: list[dict[str, Any]] = field(default_factory=list)
    told_at_once: int = 100
    cut_findings: list[int] = field(default_factory=list)
    """Cut the next answers with findings after so many bytes."""
    begun: list[dict[str, Any]] = field(default_factory=list)
    begins: list[Said] = field(default_factory=list)
    """What the first requests for a job are answered, instead of 202."""
    requests: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        """The answer to a request."""
        self.requests.append(f"{asked.method} {asked.path}")
        match asked.method, asked.path:
            case "POST", "/app/jobs":
                self.begun.append(json.loads(asked.read(asked.length)))
                return self.begins.pop(0) if self.begins else Reply(202, {"Location": "/app/jobs/one"})
            case "GET", "/app/jobs/one/events":
                return self._events(int(asked.fields.get("last-event-id", "-1")) + 1)
            case "GET", "/app/jobs/one/findings":
                return self._findings()
            case "GET", "/app/jobs/one":
                return Reply(200, {"Content-Type": "application/json"}, json.dumps(self.records[-1]).encode())
            case "DELETE", "/app/jobs/one":
                self.records.append(told("cancelled"))
                return Reply(202)
        return Reply(404)

    def _events(self, first: int) -> Reply:
        if first >= len(self.records):
            return Reply(204)
        page = list(enumerate(self.records))[first : first + self.told_at_once]
        events = (event_stream.event(json.dumps(each), kind="job", last_id=str(n)) for n, each in page)
        return Reply(200, SSE, event_stream.preamble(retry_ms=1, last_id=None) + b"".join(events))

    def _findings(self) -> Reply:
        records = [*self.findings, {"type": "end", "rows": len(self.findings)}]
        body = b"".join(json.dumps(each).encode() + b"\n" for each in records)
        return Reply(200, NDJSON, body, sent=self.cut_findings.pop(0) if self.cut_findings else None)

"""What the figures and the access log say of a request, whatever became of it."""

import doctest
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fileserver import access_log
from fileserver.access_log import redact
from fileserver.delivery.asgi import App, Message, Receive, Scope, Send, end, more, start
from fileserver.metrics import Metrics, Observe
from tests.support.asgi import ZEROCOPY, Exchange, body_events, drive, http_scope


@dataclass(frozen=True, slots=True)
class Counts:
    """What a transform counted."""

    rows_in: int
    rows_out: int
    rows_rejected: int


@dataclass(frozen=True, slots=True)
class Route:
    """What a router leaves in the scope."""

    path: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A request observed: the figures after it, and its line in the log."""

    exchange: Exchange
    metrics: Metrics
    line: dict[str, object]

    def __getitem__(self, sample: str) -> float | None:
        return samples(self.metrics).get(sample)


@pytest.fixture
def observe(caplog: pytest.LogCaptureFixture) -> "Observer":
    """Sends one request through an application that is observed."""
    caplog.set_level("INFO", "fileserver.access")
    return Observer(caplog)


@dataclass(frozen=True, slots=True)
class Observer:
    """Drives applications, each with figures of its own."""

    caplog: pytest.LogCaptureFixture

    async def __call__(
        self,
        app: App,
        scope: Scope | None = None,
        events: Sequence[Message] | None = None,
        *,
        disconnect_at_send: int | None = None,
        disconnect_after_events: bool = False,
        cancel_at_await: int | None = None,
    ) -> Seen:
        metrics = Metrics()
        self.caplog.clear()
        exchange = await drive(
            Observe(app, metrics=metrics, is_logging=True),
            scope or http_scope(),
            events,
            disconnect_at_send=disconnect_at_send,
            disconnect_after_events=disconnect_after_events,
            cancel_at_await=cancel_at_await,
        )
        (record,) = self.caplog.records
        return Seen(exchange, metrics, json.loads(record.getMessage()))


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in two pieces."""
    await start(send, 200, ())
    await more(send, b"hel")
    await end(send, b"lo")


async def swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body to its end, or to the client's."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
    if message["type"] != "http.disconnect":
        await hello(scope, receive, send)


async def wait_and_see(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin an answer and wait for the client to leave."""
    await receive()
    await start(send, 200, ())
    await more(send, b"hel")
    await receive()


async def fail_early(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail before the answer."""
    raise ValueError


async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail within the answer."""
    await start(send, 200, ())
    await more(send, b"hel")
    raise ValueError


async def stop_short(scope: Scope, receive: Receive, send: Send) -> None:
    """Return without the end of the answer."""
    await start(send, 200, ())
    await more(send, b"hel")


async def test_a_request_is_counted_by_method_route_and_status(observe: Observer) -> None:
    seen = await observe(hello, {**http_scope("GET", "/files/a"), "route": Route("/files/{key:path}")})
    labels = '{method="GET",route="/files/{key:path}",status="200"}'
    assert seen[f"fileserver_requests_total{labels}"] == 1
    assert seen['fileserver_time_to_first_byte_seconds_count{method="GET",route="/files/{key:path}"}'] == 1


async def test_what_a_client_invents_is_no_label(observe: Observer) -> None:
    seen = await observe(hello, http_scope("BREW", "/coffee/7f3a"))
    assert seen['fileserver_requests_total{method="other",route="unmatched",status="200"}'] == 1


async def test_bytes_are_counted_both_ways(observe: Observer) -> None:
    seen = await observe(swallow, http_scope("PUT"), body_events(b"123", b"4567"))
    assert (seen["fileserver_received_bytes_total"], sent(seen)) == (7, {"chunks": 5, "zerocopy": 0})
    assert (seen.line["bytes_in"], seen.line["bytes_out"], seen.line["aborted"]) == (7, 5, None)


async def test_the_body_that_a_head_request_does_not_get_is_not_counted(observe: Observer) -> None:
    assert sent(await observe(hello, http_scope("HEAD"))) == {"chunks": 0, "zerocopy": 0}


async def test_bytes_sent_without_copying_are_counted_apart(observe: Observer) -> None:
    async def zerocopy(scope: Scope, receive: Receive, send: Send) -> None:
        with open(__file__, "rb") as file:
            await start(send, 200, ())
            await send({"type": ZEROCOPY, "file": file.fileno(), "offset": 0, "count": 9, "more_body": False})

    seen = await observe(zerocopy)
    assert sent(seen) == {"chunks": 0, "zerocopy": 9}
    assert (seen.line["bytes_out"], seen.line["aborted"]) == (9, None)


@pytest.mark.parametrize(
    ("method", "range_", "status", "media_type", "kind"),
    [
        ("GET", "bytes=0-1", 206, "text/plain", "single"),
        ("GET", "bytes=0-1,5-6", 206, "multipart/byteranges; boundary=x", "multiple"),
        ("GET", "bytes=999-", 416, "application/problem+json", "unsatisfiable"),
        ("GET", "bytes=b-a", 200, "text/plain", "ignored"),
        ("GET", "bytes=0-1", 304, "text/plain", None),
        ("GET", "bytes=0-1", 404, "application/problem+json", None),
        ("GET", None, 200, "text/plain", None),
        ("HEAD", "bytes=0-1", 200, "text/plain", None),
    ],
)
async def test_ranges_are_counted_by_what_became_of_them(
    observe: Observer, method: str, range_: str | None, status: int, media_type: str, kind: str | None
) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send, status, [("content-type", media_type)])
        await end(send)

    seen = await observe(answer, http_scope(method, headers=[("Range", range_)] if range_ else []))
    counted = {name: value for name, value in samples(seen.metrics).items() if "range_requests_total" in name}
    assert counted == ({f'fileserver_range_requests_total{{kind="{kind}"}}': 1.0} if kind else {})
    assert seen.line["range"] == range_


async def test_a_client_that_leaves_within_the_answer(observe: Observer) -> None:
    seen = await observe(hello, disconnect_at_send=2)
    assert (seen.line["status"], seen.line["aborted"], seen.line["bytes_out"]) == (200, "client", 0)
    assert seen['fileserver_aborts_total{side="client"}'] == 1


async def test_a_client_that_is_heard_to_leave_within_the_answer(observe: Observer) -> None:
    seen = await observe(wait_and_see, events=body_events(), disconnect_after_events=True)
    assert (seen.line["status"], seen.line["aborted"]) == (200, "client")


async def test_a_client_that_leaves_within_its_upload(observe: Observer) -> None:
    events = body_events(b"123", is_complete=False)
    seen = await observe(swallow, http_scope("PUT"), events, disconnect_after_events=True)
    assert (seen.line["status"], seen.line["aborted"], seen.line["bytes_in"]) == (499, "client", 3)
    assert seen.line["ttfb_ms"] is None


@pytest.mark.parametrize("app", [fail_late, stop_short])
async def test_an_answer_that_is_torn_is_the_servers_doing(observe: Observer, app: App) -> None:
    seen = await observe(app)
    assert (seen.line["status"], seen.line["aborted"]) == (200, "server")
    assert seen['fileserver_aborts_total{side="server"}'] == 1


async def test_a_failure_before_the_answer_is_a_500(observe: Observer) -> None:
    seen = await observe(fail_early)
    assert (seen.line["status"], seen.line["aborted"]) == (500, None)
    assert isinstance(seen.exchange.error, ValueError)


async def test_hearing_of_the_end_after_a_whole_answer_is_no_abort(observe: Observer) -> None:
    async def linger(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await hello(scope, receive, send)
        await receive()

    assert (await observe(linger)).line["aborted"] is None


async def test_no_transfer_stays_open_wherever_it_is_cut(observe: Observer) -> None:
    for number in range(1, 8):
        seen = await observe(swallow, http_scope("PUT"), body_events(b"1", b"2"), cancel_at_await=number)
        assert seen["fileserver_open_transfers"] == 0


async def test_a_transfer_is_open_from_its_first_byte() -> None:
    metrics = Metrics()
    during: list[float | None] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        during.append(samples(metrics)["fileserver_open_transfers"])
        await start(send, 200, ())
        during.append(samples(metrics)["fileserver_open_transfers"])
        await end(send)

    await drive(Observe(look, metrics=metrics, is_logging=False), http_scope())
    assert during == [0, 1]
    assert samples(metrics)["fileserver_open_transfers"] == 0


async def test_rows_are_counted_by_what_became_of_them() -> None:
    metrics = Metrics()
    metrics.count_transform("done", Counts(10, 7, 3))
    metrics.count_transform("failed", Counts(1, 1, 0))
    rows = {
        name: value for name, value in samples(metrics).items() if name.startswith("fileserver_transform_rows_total")
    }
    assert sorted(rows.values()) == [3, 8, 11]
    assert samples(metrics)['fileserver_transforms_total{state="failed"}'] == 1


async def test_applications_in_one_process_do_not_meet(observe: Observer) -> None:
    await observe(hello)
    assert not [name for name in samples(Metrics()) if "requests_total{" in name]


async def test_a_websocket_or_a_lifespan_passes_unseen() -> None:
    passed: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope)

    await drive(Observe(app, metrics=Metrics(), is_logging=True), {"type": "lifespan"})
    assert passed == [{"type": "lifespan"}]


@pytest.mark.parametrize("text", ["\x1b[2J", "\r\nfake", "\u2028", "\u202egpj.exe", "\x00", "é"])
async def test_nothing_a_client_says_can_forge_a_line(observe: Observer, text: str) -> None:
    raw = text.encode()
    scope = {
        **http_scope("GET", "/"),
        "path": f"/{text}",
        "raw_path": b"/" + raw,
        "query_string": raw,
        "headers": [(b"user-agent", raw), (b"range", raw)],
        "client": (text, 1),
    }
    seen = await observe(hello, scope)
    assert observe.caplog.messages[0].isascii()
    assert observe.caplog.messages[0].isprintable()
    assert all(value.isascii() and value.isprintable() for value in seen.line.values() if isinstance(value, str))


@pytest.mark.parametrize("letter", [b'"', b"\xff", b"a", b"\\"])
async def test_a_line_fits_in_what_a_pipe_takes_in_one_piece(observe: Observer, letter: bytes) -> None:
    long = letter * 9000
    scope = {
        **http_scope(),
        "raw_path": b"/" + long,
        "query_string": long,
        "headers": [(b"user-agent", long), (b"range", long)],
        "client": ("2001:db8:1111:2222:3333:4444:5555:6666%interface", 65535),
    }
    await observe(hello, scope)
    assert len(observe.caplog.messages[0]) < 4096


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("token=abc", "token=[redacted]"),
        ("a=1&access_token=abc&b=2", "a=1&access_token=[redacted]&b=2"),
        ("X-Amz-Signature=abc&sig=d", "X-Amz-Signature=[redacted]&sig=[redacted]"),
        ("%74oken=abc&api%5fkey=d", "%74oken=[redacted]&api%5fkey=[redacted]"),
        ("download&select=name,size&limit=3", "download&select=name,size&limit=3"),
        ("", ""),
    ],
)
def test_secrets_stay_out_of_the_log(query: str, shown: str) -> None:
    assert redact(query) == shown


def test_an_upload_is_logged_by_the_beginning_of_its_address() -> None:
    path = "/prefix/uploads/abcdefgh12345678"
    scope = {**http_scope("PATCH", path), "raw_path": path.replace("u", "%75").encode(), "root_path": "/prefix"}
    assert access_log.path(scope) == "/prefix/uploads/abcdefgh[redacted]"
    assert access_log.path(http_scope("GET", "/files/uploads/2024-report.csv")) == "/files/uploads/2024-report.csv"


def test_a_job_is_logged_by_the_beginning_of_its_address() -> None:
    assert access_log.path(http_scope("GET", "/jobs/abcdefgh12345678/rejects")) == "/jobs/abcdefgh[redacted]"


def test_the_examples_in_the_text_hold() -> None:
    assert doctest.testmod(access_log).failed == 0


async def test_the_line_has_the_whole_request(observe: Observer) -> None:
    seen = await observe(hello, http_scope("GET", "/files/a%20b", headers=[("User-Agent", "curl/8")], query="download"))
    assert seen.line["time"]
    assert float(str(seen.line["duration_ms"])) >= float(str(seen.line["ttfb_ms"]))
    rest = {name: value for name, value in seen.line.items() if name not in ("time", "ttfb_ms", "duration_ms")}
    assert rest == {
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/files/a%20b",
        "query": "download",
        "status": 200,
        "bytes_in": 0,
        "bytes_out": 5,
        "range": None,
        "aborted": None,
        "user_agent": "curl/8",
    }


def sent(seen: Seen) -> dict[str, float | None]:
    return {way: seen[f'fileserver_sent_bytes_total{{way="{way}"}}'] for way in ("chunks", "zerocopy")}


def samples(metrics: Metrics) -> dict[str, float]:
    """All samples by name with labels, as they are printed."""
    text, _ = metrics.exposition()
    families = text_string_to_metric_families(text.decode())
    return {_name(sample.name, sample.labels): sample.value for family in families for sample in family.samples}


def _name(name: str, labels: dict[str, str]) -> str:
    return name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "")

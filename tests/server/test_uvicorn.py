"""What our protocol class stands on in uvicorn and httptools, and what neither promises.

When a test here fails after an update, fileserver/server/protocol.py and exchange.py are to be read again before
anything else is done: what changed is what the test's name says.
"""

import asyncio
from typing import Any

import httptools
import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected, is_ssl

from fileserver.delivery.asgi import Receive, Scope, Send
from tests.support.uvicorn_wire import Held, Watched, asked, connected, empty

_GET = b"GET /a?b HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PUT = b"PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
_EXPECTING = _PUT[:-2] + b"Expect: 100-continue\r\n\r\n"
_CHUNKED = b"PUT /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
_HUGE = bytes(16 << 20)


async def test_a_request_is_run_by_start_asgi_task() -> None:
    async with connected(empty) as wire:
        await wire.send(_GET)
        await wire.read_until(b"\r\n\r\n")
        ((cycle, app),) = wire.protocol.started
        assert isinstance(cycle, RequestResponseCycle)
        assert cycle is wire.protocol.cycle
        assert app is wire.config.loaded_app


async def test_start_asgi_task_may_be_given_another_application() -> None:
    class _Other(Watched):
        def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
            super()._start_asgi_task(cycle, empty)

    async with connected(Held(), _Other) as wire:
        await wire.send(_GET)
        assert (await wire.read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_the_callbacks_come_in_this_order() -> None:
    async with connected(empty) as wire:
        await wire.send(_PUT + b"hello")
        await wire.until(lambda: "on_response_complete" in wire.protocol.calls)
        await wire.send(_GET)
        await wire.until(lambda: wire.protocol.calls.count("on_response_complete") == 2)
        begun = ["on_message_begin", "on_headers_complete", "_start_asgi_task"]
        ended = ["on_message_complete", "on_response_complete"]
        assert wire.protocol.calls == ["connection_made", *begun, "on_body 5", *ended, *begun, *ended]


async def test_url_and_headers_are_whole_when_the_headers_are_complete() -> None:
    async with connected(empty) as wire:
        for byte in _GET:
            await wire.send(bytes([byte]))
        await wire.read_until(b"\r\n\r\n")
        assert wire.protocol.at_headers == [(b"/a?b", ((b"host", b"localhost"),))]


async def test_the_url_may_be_replaced_before_the_headers_are_complete() -> None:
    class _Elsewhere(Watched):
        def on_headers_complete(self) -> None:
            self.url = b"/elsewhere?there"
            super().on_headers_complete()

    async with connected(empty, _Elsewhere) as wire:
        await wire.send(_GET)
        await wire.until(lambda: wire.protocol.started)
        scope = wire.protocol.started[0][0].scope
        assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/elsewhere", b"/elsewhere", b"there")


async def test_a_scope_is_made_anew_at_each_begin() -> None:
    class _Marking(Watched):
        def on_message_begin(self) -> None:
            super().on_message_begin()
            assert self.scope["asgi"]["spec_version"] != "marked"
            self.scope["asgi"]["spec_version"] = "marked"
            assert "extensions" not in self.scope

    async with connected(empty, _Marking) as wire:
        for _ in range(2):
            await wire.send(_GET)
            await wire.read_until(b"\r\n\r\n")
        scopes = [cycle.scope for cycle, _ in wire.protocol.started]
        assert [scope["asgi"]["spec_version"] for scope in scopes] == ["marked", "marked"]


async def test_trailers_come_as_headers_after_the_headers() -> None:
    """To the list that the protocol has by then, which may be another than the scope's."""

    class _Replacing(Watched):
        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self.headers = []

    async with connected(Held(), _Replacing) as wire:
        await wire.send(_CHUNKED + b"5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n")
        await wire.until(lambda: "on_message_complete" in wire.protocol.calls)
        assert wire.protocol.headers == [(b"x-trailer", b"a")]
        assert [name for name, _ in wire.protocol.started[0][0].scope["headers"]] == [b"host", b"transfer-encoding"]


async def test_each_chunk_is_announced_the_last_too() -> None:
    async with connected(Held()) as wire:
        await wire.send(_CHUNKED + b"5;name=value\r\nhello\r\n1\r\na\r\n0\r\n\r\n")
        await wire.until(lambda: "on_message_complete" in wire.protocol.calls)
        chunks = [call for call in wire.protocol.calls if call.startswith(("on_chunk", "on_body"))]
        assert chunks == ["on_chunk_header", "on_body 5", "on_chunk_header", "on_body 1", "on_chunk_header"]


@pytest.mark.parametrize("callback", ["on_message_begin", "on_headers_complete", "on_body", "on_chunk_header"])
def test_an_error_in_a_callback_is_the_context_of_the_parsers(callback: str) -> None:
    class _Fault(Exception):
        pass

    class _Calls:
        pass

    def fail(*_args: object) -> None:
        raise _Fault

    calls = _Calls()
    setattr(calls, callback, fail)
    parser = httptools.HttpRequestParser(calls)
    with pytest.raises(httptools.HttpParserCallbackError) as raised:
        parser.feed_data(_CHUNKED + b"5\r\nhello\r\n")
    assert isinstance(raised.value.__context__, _Fault)
    assert isinstance(raised.value, httptools.HttpParserError)


def test_an_upgrade_is_an_error_of_its_own_after_the_request() -> None:
    class _Calls:
        names: tuple[str, ...] = ()

        def on_headers_complete(self) -> None:
            self.names += ("headers",)

        def on_message_complete(self) -> None:
            self.names += ("message",)

    calls = _Calls()
    parser = httptools.HttpRequestParser(calls)
    with pytest.raises(httptools.HttpParserUpgrade):
        parser.feed_data(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: b\r\n\r\nmore")
    assert calls.names == ("headers", "message")
    assert parser.should_upgrade()
    assert (parser.get_http_version(), parser.get_method()) == ("1.1", b"GET")
    assert not issubclass(httptools.HttpParserUpgrade, httptools.HttpParserCallbackError)


async def test_requests_behind_one_another_wait_in_the_pipeline() -> None:
    """The one that came last on the left, and as the protocol's cycle; the next to run on the right."""
    async with asked(_GET * 3) as (wire, app):
        (last, last_app), (second, _) = wire.protocol.pipeline
        assert last is wire.protocol.cycle
        assert last_app is wire.config.loaded_app
        assert wire.protocol.flow.read_paused
        await empty({}, app.receives[0], app.sends[0])
        assert [cycle for cycle, _ in wire.protocol.started][1:] == [second]
        assert list(wire.protocol.pipeline) == [(last, last_app)]


async def test_an_answer_is_complete_before_the_next_is_begun() -> None:
    async with connected(empty) as wire:
        await wire.send(_GET * 2)
        await wire.until(lambda: wire.protocol.calls.count("on_response_complete") == 2)
        marks = [call for call in wire.protocol.calls if call in ("_start_asgi_task", "on_response_complete")]
        assert marks == ["_start_asgi_task", "on_response_complete"] * 2
        assert wire.state.total_requests == 2


async def test_the_timer_of_an_idle_connection_can_be_unset() -> None:
    async with connected(empty) as wire:
        assert wire.protocol.timeout_keep_alive_task is None
        await wire.send(_GET)
        await wire.until(lambda: wire.protocol.timeout_keep_alive_task)
        timer = wire.protocol.timeout_keep_alive_task
        assert timer is not None
        wire.protocol._unset_keepalive_if_required()
        assert wire.protocol.timeout_keep_alive_task is None
        assert timer.cancelled()


@pytest.mark.parametrize(("version", "is_kept"), [(b"1.1", True), (b"1.0", False)])
async def test_a_new_cycle_knows_nothing_yet(version: bytes, *, is_kept: bool) -> None:
    async with asked(_EXPECTING.replace(b"1.1", version, 1)) as (wire, _):
        cycle = wire.protocol.cycle
        assert (cycle.response_started, cycle.response_complete, cycle.disconnected) == (False, False, False)
        assert (cycle.chunked_encoding, cycle.expected_content_length) == (None, 0)
        assert (cycle.keep_alive, cycle.more_body, cycle.waiting_for_100_continue) == (is_kept, True, True)
        assert (cycle.transport, cycle.flow) == (wire.protocol.transport, wire.protocol.flow)
        assert not cycle.message_event.is_set()


async def test_a_cycle_counts_down_what_was_promised() -> None:
    """We count what leaves by another way in the same place, and then end with an empty piece."""
    async with asked(_GET) as (wire, app):
        cycle, send = wire.protocol.cycle, app.sends[0]
        await _start(send, (b"content-length", b"10"))
        assert (cycle.response_started, cycle.chunked_encoding, cycle.expected_content_length) == (True, False, 10)
        await send({"type": "http.response.body", "body": b"1234", "more_body": True})
        assert (cycle.expected_content_length, cycle.response_complete) == (6, False)
        cycle.expected_content_length -= 6
        cycle.transport.write(b"567890")
        await send({"type": "http.response.body"})
        assert cycle.response_complete
        assert cycle.message_event.is_set()
        assert (await wire.read_until(b"0")).endswith(b"\r\n\r\n1234567890")


@pytest.mark.parametrize(("promised", "sent"), [(b"2", b"123"), (b"5", b"123")])
async def test_what_is_not_as_long_as_promised_is_an_error(promised: bytes, sent: bytes) -> None:
    async with asked(_GET) as (wire, app):
        await _start(app.sends[0], (b"content-length", promised))
        with pytest.raises(RuntimeError):
            await app.sends[0]({"type": "http.response.body", "body": sent})
        assert not wire.protocol.cycle.response_complete


async def test_what_has_no_length_is_chunks() -> None:
    async with asked(_GET) as (wire, app):
        await _start(app.sends[0])
        assert wire.protocol.cycle.chunked_encoding is True
        wire.protocol.cycle.transport.write(b"3\r\nabc\r\n")
        await app.sends[0]({"type": "http.response.body"})
        assert (await wire.read_until(b"0\r\n\r\n")).endswith(b"chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


async def test_chunks_can_be_forbidden_before_the_start() -> None:
    """So that an answer to HTTP/1.0 ends with its connection; the length of each piece is then ours to say."""
    async with asked(_GET.replace(b"1.1", b"1.0", 1)) as (wire, app):
        cycle, send = wire.protocol.cycle, app.sends[0]
        cycle.chunked_encoding = False
        await _start(send)
        cycle.expected_content_length = 5
        await send({"type": "http.response.body", "body": b"hello"})
        said = await wire.read_until(b"hello")
        assert said.split(b"\r\n") == [b"HTTP/1.1 200 OK", b"connection: close", b"", b"hello"]


async def test_a_cycle_that_is_taken_over_says_nothing_more() -> None:
    """Neither what the application sends then, nor an answer of uvicorn's own when it ends without one."""
    async with asked(_PUT) as (wire, app):
        cycle = wire.protocol.cycle
        receiving = asyncio.ensure_future(app.receives[0]())
        await asyncio.sleep(0)
        cycle.response_started = cycle.response_complete = cycle.disconnected = True
        cycle.message_event.set()
        assert await receiving == {"type": "http.disconnect"}
        await _start(app.sends[0])
        app.may_end.set()
        await asyncio.gather(*wire.state.tasks)
        assert not wire.protocol.transport.is_closing()
        wire.protocol.transport.write(b"the only word")
        assert await wire.read_until(b"word") == b"the only word"


async def test_a_lost_connection_is_told_to_the_request_that_came_last() -> None:
    """To that one alone: ours tells the one that is being answered."""
    async with asked(_GET * 2) as (wire, _):
        ((first, _),) = wire.protocol.started
        wire.protocol.transport.abort()
        await wire.until(lambda: "connection_lost" in wire.protocol.calls)
        assert (wire.protocol.cycle.disconnected, wire.protocol.cycle.message_event.is_set()) == (True, True)
        assert not first.disconnected
        assert wire.protocol not in wire.state.connections


async def test_after_a_lost_connection_a_send_is_silent() -> None:
    """ASGI 2.4 wants an OSError: that is ours to raise."""
    async with asked(_GET) as (wire, app):
        wire.protocol.transport.abort()
        await wire.until(lambda: wire.protocol.cycle.disconnected)
        await _start(app.sends[0])
        assert not wire.protocol.cycle.response_started


async def test_flow_control_waits_until_writing_may_go_on() -> None:
    async with asked(_GET) as (wire, _):
        flow, transport = wire.protocol.flow, wire.protocol.transport
        await flow.drain()
        transport.write(_HUGE)
        assert flow.write_paused
        draining = asyncio.ensure_future(flow.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        transport.abort()
        await asyncio.wait_for(draining, 5)
        assert not flow.write_paused


async def test_a_smaller_limit_pauses_writing_at_once() -> None:
    """So that `drain` waits until the kernel has all, before a file follows."""
    async with asked(_GET) as (wire, _):
        flow, transport = wire.protocol.flow, wire.protocol.transport
        transport.set_write_buffer_limits(1 << 30)
        transport.write(_HUGE)
        assert not flow.write_paused
        transport.set_write_buffer_limits(0)
        assert flow.write_paused


async def test_flow_control_pauses_and_resumes_reading() -> None:
    async with connected(Held()) as wire:
        flow = wire.protocol.flow
        assert isinstance(flow, FlowControl)
        for call, is_paused in ((flow.pause_reading, True), (flow.resume_reading, False)):
            call()
            assert (flow.read_paused, wire.protocol.transport.is_reading()) == (is_paused, not is_paused)


async def test_a_connection_is_counted_among_the_servers() -> None:
    async with connected(Held()) as wire:
        assert wire.state.connections == {wire.protocol}
        assert wire.protocol.server_state is wire.state
        assert wire.state.default_headers == []
        assert not is_ssl(wire.protocol.transport)
        assert wire.protocol.transport.get_extra_info("socket").fileno() > 0


async def test_an_error_of_the_application_closes_an_answer_that_began() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await _start(send, (b"content-length", b"5"))
        raise EOFError

    async with connected(app) as wire:
        await wire.send(_GET)
        await wire.until(lambda: "connection_lost" in wire.protocol.calls)
        assert not wire.protocol.cycle.response_complete


def test_the_words_we_borrow_are_there() -> None:
    assert STATUS_LINE[103] == b"HTTP/1.1 103 Early Hints\r\n"
    assert {*range(102, 600)} <= set(STATUS_LINE)
    assert all(line.startswith(b"HTTP/1.1 ") and line.endswith(b"\r\n") for line in STATUS_LINE.values())
    assert all(HEADER_RE.search(name) for name in (b"a b", b"a:", b"a\r\n"))
    assert all(HEADER_VALUE_RE.search(value) for value in (b"a\r\nb", b"a\nb", b"\0"))
    assert not HEADER_RE.search(b"upload-offset")
    assert not HEADER_VALUE_RE.search(b'</a.css>; rel="preload"')
    assert issubclass(ClientDisconnected, OSError)


async def _start(send: Send, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})

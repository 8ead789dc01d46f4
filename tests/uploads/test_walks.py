"""Whatever a client does in whatever order, an upload is what was acknowledged, and the file is what was uploaded."""

import hashlib
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.wire import Answer, Connection, request_bytes
from tests.uploads.dialects import (
    OFFSET_TYPE,
    VERSION,
    Draft,
    Line,
    Tus,
    assert_stored,
    checksum,
    chunked,
    digest,
    fresh_key,
    stored,
    told,
    tus_patch,
)

_LENGTH = 60
_pieces = st.binary(max_size=25)
_steps = st.one_of(
    st.tuples(st.just("append"), _pieces, st.sampled_from(["tus", "draft"]), st.booleans()),
    st.tuples(st.just("checked"), _pieces, st.sampled_from(["tus", "draft"]), st.booleans()),
    st.tuples(st.just("elsewhere"), _pieces, st.sampled_from(["tus", "draft"]), st.booleans()),
    st.tuples(st.just("broken off"), _pieces, st.sampled_from(["tus", "draft"]), st.booleans()),
)


@dataclass(slots=True)
class _Walk:
    """An upload, and what was acknowledged of it."""

    tus: Tus
    target: str
    content: bytearray = field(default_factory=bytearray)

    def append(self, piece: bytes, dialect: str, *, is_chunked: bool) -> None:
        """Bytes where they belong."""
        piece = piece[: _LENGTH - 1 - len(self.content)]
        answer = self._send(dialect, len(self.content), piece, is_chunked=is_chunked)
        assert (answer.status, told(answer, "upload-offset")) == (204, str(len(self.content) + len(piece)))
        self.content += piece

    def checked(self, piece: bytes, dialect: str, *, is_right: bool) -> None:
        """Bytes with a checksum, or with that of others."""
        piece = piece[: _LENGTH - 1 - len(self.content)]
        promised = piece if is_right else piece + b"x"
        line = checksum(promised) if dialect == "tus" else digest("Content-Digest", promised)
        answer = self._send(dialect, len(self.content), piece, line)
        assert answer.status == (204 if is_right else 460 if dialect == "tus" else 400)
        if is_right:
            self.content += piece

    def elsewhere(self, piece: bytes, dialect: str, *, is_behind: bool) -> None:
        """Bytes that do not belong there."""
        offset = len(self.content) + (1 if is_behind or not self.content else -1)
        answer = self._send(dialect, offset, piece)
        assert (answer.status, told(answer, "upload-offset")) == (409, str(len(self.content)))

    def broken_off(self, piece: bytes, *, is_checked: bool) -> None:
        """Bytes of a request that never ends; what is kept of them is a beginning of them, or nothing."""
        room = _LENGTH - len(self.content)
        lines = (*tus_patch(len(self.content)), ("Content-Length", str(room)))
        lines = (*lines, checksum(b"never")) if is_checked else lines
        with Connection(self.tus.server.port) as connection:
            connection.send(request_bytes("PATCH", self.target, *lines, body=piece[: room - 1]))
        kept = self.tus.offset(self.target) - len(self.content)
        assert 0 <= kept <= (0 if is_checked else len(piece[: room - 1]))
        self.content += piece[:kept]

    def _send(self, dialect: str, offset: int, piece: bytes, *lines: Line, is_chunked: bool = False) -> Answer:
        client = self.tus if dialect == "tus" else Draft(self.tus.server)
        if is_chunked:
            pieces = (piece,) if piece else ()
            return client.patch(self.target, offset, chunked(*pieces), ("Transfer-Encoding", "chunked"), *lines)
        return client.patch(self.target, offset, piece, *lines)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, max_size=10), ends_with_tus=st.booleans())
def test_a_walk_ends_at_what_was_acknowledged(
    tus: Tus, steps: list[tuple[str, bytes, str, bool]], ends_with_tus: bool
) -> None:
    key = fresh_key()
    walk = _Walk(tus, tus.create(key, _LENGTH))
    for kind, piece, dialect, choice in steps:
        match kind:
            case "append":
                walk.append(piece, dialect, is_chunked=choice)
            case "checked":
                walk.checked(piece, dialect, is_right=choice)
            case "elsewhere":
                walk.elsewhere(piece, dialect, is_behind=choice)
            case _:
                walk.broken_off(piece, is_checked=choice)
        assert tus.offset(walk.target) == len(walk.content)
        assert stored(tus.server, key) is None
    rest = hashlib.sha512(walk.content).digest()[: _LENGTH - len(walk.content)]
    if ends_with_tus:
        assert tus.patch(walk.target, len(walk.content), rest).status == 204
    else:
        assert Draft(tus.server).finish(walk.target, len(walk.content), rest).status == 201
    assert_stored(tus.server, key, bytes(walk.content) + rest)


def test_all_requests_may_come_over_one_connection(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6)
    alive = ("Connection", "keep-alive")
    with Connection(tus.server.port) as connection:
        for method, offset, body, status in (
            ("PATCH", "0", b"abc", 204),
            ("HEAD", "0", b"", 200),
            ("PATCH", "3", b"d", 204),
            ("HEAD", "0", b"", 200),
            ("PATCH", "4", b"ef", 204),
            ("HEAD", "0", b"", 200),
        ):
            lines = (alive, VERSION, OFFSET_TYPE, ("Upload-Offset", offset))
            connection.send(request_bytes(method, target, *lines, body=body))
            assert connection.answer(method=method).status == status
    assert_stored(tus.server, key, b"abcdef")


def test_requests_sent_in_a_row_are_carried_out_in_a_row(tus: Tus) -> None:
    key = fresh_key()
    target = tus.create(key, 6)
    alive = ("Connection", "keep-alive")
    requests = [request_bytes("PATCH", target, alive, *tus_patch(at), body=b"abcdef"[at : at + 2]) for at in (0, 2, 4)]
    with Connection(tus.server.port) as connection:
        connection.send(b"".join(requests))
        assert [connection.answer().status for _ in requests] == [204] * 3
    assert_stored(tus.server, key, b"abcdef")


def test_bytes_after_a_refused_request_are_not_taken_for_another(tus: Tus) -> None:
    target = tus.begin(fresh_key(), 60, b"abc")
    smuggled = request_bytes("DELETE", target, VERSION)
    lines = (("Connection", "keep-alive"), *tus_patch(0), ("Content-Length", str(len(smuggled))))
    with Connection(tus.server.port) as connection:
        connection.send(request_bytes("PATCH", target, *lines, body=smuggled))
        assert connection.answer().status == 409
        assert connection.read_to_end() == b""
    assert tus.offset(target) == 3

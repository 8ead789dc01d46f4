"""Request heads as no library would send them, and with which statuses they may be refused."""

from tests.support.files import known_bytes

Table = dict[str, tuple[bytes, tuple[int, ...]]]
"""What is sent, and the statuses with which it may be refused."""


def get(*lines: bytes, host: bytes | None = b"Host: localhost", version: bytes = b"1.1") -> bytes:
    """A request for /files/hello.txt with these header lines."""
    first = b"GET /files/hello.txt HTTP/" + version
    return head_of(first, *(() if host is None else (host,)), *lines)


def put(*lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """An upload to /files/never.bin, its framing left to the lines."""
    return head_of(b"PUT /files/never.bin HTTP/" + version, b"Host: localhost", *lines) + body


def put_chunked(*body: bytes) -> bytes:
    """The same with a body of chunks, which stand as they are given."""
    return put(b"Transfer-Encoding: chunked", body=b"".join(body))


def head_of(*lines: bytes) -> bytes:
    """Lines and their end."""
    return b"\r\n".join((*lines, b"", b""))


def fields(count: int, size: int = 1) -> tuple[bytes, ...]:
    """As many header lines, with values of this size."""
    return tuple(b"X-%d: %s" % (number, b"a" * size) for number in range(count))


MALFORMED: Table = {
    # RFC 9112 s.2.2, s.3: what is a request at all.
    "a TLS client": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)), (400,)),
    "bytes of no language": (known_bytes(4096)[2048:], (400,)),
    "a word": (b"hello\r\n\r\n", (400,)),
    "HTTP/0.9, a simple request": (b"GET /\r\n", (400,)),
    "HTTP/0.9 with an empty line": (b"GET /\r\n\r\n", (400,)),
    "HTTP/0.9 by number": (get(version=b"0.9"), (400, 505)),
    "a protocol in small letters": (head_of(b"GET / http/1.1", b"Host: localhost"), (400,)),
    "a version of three digits": (get(version=b"1.11"), (400, 505)),
    "a version without a dot": (get(version=b"11"), (400, 505)),
    "another protocol": (head_of(b"GET / HTCPCP/1.1", b"Host: localhost"), (400,)),
    "a target of two words": (head_of(b"GET /a b HTTP/1.1", b"Host: localhost"), (400,)),
    "a target from nowhere": (head_of(b"GET files HTTP/1.1", b"Host: localhost"), (400,)),
    "a target with NUL": (head_of(b"GET /\0 HTTP/1.1", b"Host: localhost"), (400,)),
    "bare LF throughout": (get().replace(b"\r\n", b"\n"), (400,)),
    "bare LF after the first line": (get().replace(b"\r\n", b"\n", 1), (400,)),
    "bare LF after a field": (get(b"X-A: a\nX-B: b"), (400,)),
    "bare LF at the end": (get()[:-2] + b"\n", (400,)),
    "bare CR in a value": (get(b"X-A: a\rX-B: b"), (400,)),
    # RFC 9112 s.5.1 and s.5.2, RFC 9110 s.5.5: fields.
    "a space before the colon": (get(b"X-A : a"), (400,)),
    "a tab before the colon": (get(b"X-A\t: a"), (400,)),
    "a space before the first field": (get(host=b" Host: localhost"), (400,)),
    "a folded line": (get(b"X-A: a", b" b"), (400,)),
    "a line folded by a tab": (get(b"X-A: a", b"\tb"), (400,)),
    "an empty folded line": (get(b"X-A: a", b" "), (400,)),
    "a field without a colon": (get(b"nonsense"), (400,)),
    "a field without a name": (get(b": a"), (400,)),
    "a name that is no token": (get(b"X(A): a"), (400,)),
    "a name with NUL": (get(b"X\0A: a"), (400,)),
    "a name beyond ASCII": (get(b"X-\xc3\xa4: a"), (400,)),
    "NUL in a value": (get(b"X-A: a\0b"), (400,)),
    "a control character in a value": (get(b"X-A: a\x01b"), (400,)),
    "an escape in a value": (get(b"X-A: \x1b[2J"), (400,)),
    "DEL in a value": (get(b"X-A: a\x7fb"), (400,)),
    # RFC 9112 s.6.2 and s.6.3: lengths.
    "a length twice in a line": (put(b"Content-Length: 5,5", body=b"never"), (400,)),
    "a length twice, spaced": (put(b"Content-Length: 5, 5", body=b"never"), (400,)),
    "a length twice in two lines": (put(b"Content-Length: 5", b"Content-Length: 5", body=b"never"), (400,)),
    "two lengths": (put(b"Content-Length: 5", b"Content-Length: 6", body=b"never"), (400,)),
    "a length with a plus": (put(b"Content-Length: +5", body=b"never"), (400,)),
    "a negative length": (put(b"Content-Length: -1", body=b"never"), (400,)),
    "a length in hexadecimal": (put(b"Content-Length: 0x5", body=b"never"), (400,)),
    "a length in powers": (put(b"Content-Length: 1e3", body=b"never"), (400,)),
    "a length in two words": (put(b"Content-Length: 5 5", body=b"never"), (400,)),
    "a length of nothing": (put(b"Content-Length:", body=b"never"), (400,)),
    "a length beyond all numbers": (put(b"Content-Length: " + b"9" * 30, body=b"never"), (400,)),
    "a length after chunked": (put(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"), (400,)),
    "a length before chunked": (put(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), (400,)),
    "chunked on HTTP/1.0": (put(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n", version=b"1.0"), (400,)),
    # RFC 9112 s.3.2: Host.
    "no Host": (get(host=None), (400,)),
    "two Hosts": (get(b"Host: other.example"), (400,)),
    "a Host twice": (get(b"Host: localhost"), (400,)),
    "a Host twice on HTTP/1.0": (get(b"Host: localhost", version=b"1.0"), (400,)),
    "an empty Host": (get(host=b"Host:"), (400,)),
    "a Host of two words": (get(host=b"Host: a b"), (400,)),
    "a Host with a path": (get(host=b"Host: a/b"), (400,)),
    "a Host with a query": (get(host=b"Host: a?b"), (400,)),
    "a Host with a fragment": (get(host=b"Host: a#b"), (400,)),
    "a Host with a backslash": (get(host=b"Host: a\\b"), (400,)),
    "a Host with a user": (get(host=b"Host: user@host"), (400,)),
    "a Host whose port is no number": (get(host=b"Host: host:99999x"), (400,)),
    "a Host whose port is negative": (get(host=b"Host: host:-1"), (400,)),
    "a Host with two ports": (get(host=b"Host: host:80:80"), (400,)),
    "a Host with an open bracket": (get(host=b"Host: [::1"), (400,)),
    "a Host with a word behind its bracket": (get(host=b"Host: [::1]x"), (400,)),
    "a Host in brackets that is no address": (get(host=b"Host: [localhost]"), (400,)),
    "a Host of bytes beyond ASCII": (get(host=b"Host: \xe4.example"), (400,)),
    "a Host with a broken escape": (get(host=b"Host: a%zz"), (400,)),
    # RFC 9112 s.3.2.2: the authority of a target.
    "an authority with a user": (head_of(b"GET http://user@localhost/ HTTP/1.1", b"Host: localhost"), (400,)),
    "an authority whose port is no number": (head_of(b"GET http://localhost:x/ HTTP/1.1", b"Host: localhost"), (400,)),
    "an authority with an open bracket": (head_of(b"GET http://[::1/ HTTP/1.1", b"Host: localhost"), (400,)),
    "no authority": (head_of(b"GET http:/// HTTP/1.1", b"Host: localhost"), (400,)),
    "an authority, but no Host": (head_of(b"GET http://localhost/ HTTP/1.1"), (400,)),
}

NOT_DONE: Table = {
    "gzip, chunked": (put(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), (501,)),
    "gzip": (put(b"Transfer-Encoding: gzip", body=b"never"), (400, 501)),
    "identity": (put(b"Transfer-Encoding: identity", body=b"never"), (400, 501)),
    "an unknown coding": (put(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), (400, 501)),
    "a coding of nothing": (put(b"Transfer-Encoding:", body=b"0\r\n\r\n"), (400, 501)),
    "a coding in quotes": (put(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), (400, 501)),
    "a vertical tab before chunked": (put(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), (400, 501)),
    "chunked with a parameter": (put(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"), (400, 501)),
    "chunked, chunked": (put(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), (400, 501)),
    "chunked in two lines": (
        put(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        (400, 501),
    ),
    "chunked, then identity": (
        put(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
        (400, 501),
    ),
    "CONNECT": (head_of(b"CONNECT localhost:80 HTTP/1.1", b"Host: localhost:80"), (501,)),
    "a method nobody knows": (head_of(b"BREW / HTTP/1.1", b"Host: localhost"), (400, 501)),
    "HTTP/2.0": (get(version=b"2.0"), (505,)),
    "HTTP/3.0": (get(version=b"3.0"), (400, 505)),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
}

TOO_LARGE: Table = {
    "a long target": (head_of(b"GET /%s HTTP/1.1" % (b"a" * 8192), b"Host: localhost"), (414,)),
    "a long query": (head_of(b"GET /?%s HTTP/1.1" % (b"a" * 8192), b"Host: localhost"), (414,)),
    "a long absolute target": (
        head_of(b"GET http://localhost/%s HTTP/1.1" % (b"a" * 8192), b"Host: localhost"),
        (414,),
    ),
    "a long value": (get(b"X-A: " + b"a" * 65536), (431,)),
    "a long name": (get(b"X" * 65536 + b": a"), (431,)),
    "long values together": (get(*fields(70, 1000)), (431,)),
    "many fields": (get(*fields(128)), (431,)),
    "many fields that say nothing": (get(*[b"a:"] * 10_000), (431,)),
    "many cookies": (get(*[b"Cookie: a=b"] * 128), (431,)),
}

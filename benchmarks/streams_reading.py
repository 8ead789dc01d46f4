"""A client that only counts: rows of an answer by what each of them holds once, and when the first came."""

import http.client
import time
from dataclasses import dataclass

from benchmarks.load import LoadFailed

_CHUNK_SIZE = 1 << 18
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer took, in seconds from the request on."""

    first_s: float
    seconds: float
    size: int


def read_rows(port: int, path: str, mark: bytes, count: int, *, accept: str = "*/*") -> Read:
    """An answer of which at least `count` pieces hold `mark`. Raises LoadFailed for any other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    first_s, found, size, rest = 0.0, 0, 0, b""
    try:
        began_s = time.perf_counter()
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        while chunk := answer.read1(_CHUNK_SIZE):
            size += len(chunk)
            seen = rest + chunk
            found += seen.count(mark)
            rest = seen[len(seen) - len(mark) + 1 :] if len(mark) > 1 else b""
            if found and not first_s:
                first_s = time.perf_counter() - began_s
        seconds = time.perf_counter() - began_s
    except (OSError, http.client.HTTPException) as failed:
        raise LoadFailed(f"{path} was not answered whole") from failed
    finally:
        connection.close()
    if answer.status != http.client.OK or found < count:
        raise LoadFailed(f"{path} was answered {answer.status} with {found} rows of {count}")
    return Read(first_s, seconds, size)

"""A person sends a table and gets it back transformed: every value that was not asked about is as it was."""

import gzip
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.clients import curl, curl_status, piped_sha256
from tests.support.files import MIB
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Connection, form_bytes, request, request_bytes

_CSV = "Content-Type: text/csv"

# Values that a careless reader would change: leading zeros, exponents, long numbers, space, empty and quoted empty, a
# quoted delimiter, doubled quotes, a line break inside quotes, other scripts.
_ROWS = (
    b"id,name,amount,note",
    b'007,"Smith, John",1e5,"said ""hi"""',
    b'12345678901234567890, padded ,"",',
    b'-0.0,"two\r\nlines",1.50,needed',
    "042,Żółć,٣,😀".encode(),
)
_TABLE = b"".join(row + b"\r\n" for row in _ROWS)

_RAW = ("Content-Type", "text/csv")
_NOTE = b"n" * 69

_LARGE = 100 * MIB
_MOST_MEMORY = 50 * MIB


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small table as a file."""
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_bytes(_TABLE)
    return path


def test_a_raw_body_comes_back_as_it_was(server: Server, table: Path) -> None:
    done = curl("-f", "--data-binary", f"@{table}", "-H", _CSV, f"{server.url}/transform")
    assert done.output == _TABLE, done.errors


def test_a_form_file_comes_back_as_it_was(server: Server, table: Path) -> None:
    done = curl("-f", "-F", f"file=@{table};type=text/csv", f"{server.url}/transform")
    assert done.output == _TABLE, done.errors


def test_a_stored_file_comes_back_as_it_was(server: Server, table: Path) -> None:
    assert curl_status("-T", table, f"{server.url}/files/tables/table.csv") in (200, 201)
    done = curl("-f", f"{server.url}/transform/tables/table.csv")
    assert done.output == _TABLE, done.errors


def test_a_compressed_body_comes_back_as_it_was(server: Server) -> None:
    done = curl(
        "-f", "--data-binary", "@-", "-H", _CSV, "-H", "Content-Encoding: gzip", f"{server.url}/transform",
        stdin=gzip.compress(_TABLE),
    )  # fmt: skip
    assert done.output == _TABLE, done.errors


def test_chosen_columns_keep_their_bytes(server: Server, table: Path) -> None:
    done = curl("-f", "--data-binary", f"@{table}", "-H", _CSV, f"{server.url}/transform?select=note,id")
    assert done.output == (
        b'note,id\r\n"said ""hi""",007\r\n,12345678901234567890\r\nneeded,-0.0\r\n' + "😀,042\r\n".encode()
    )


def test_a_filter_a_rename_and_a_limit(server: Server, table: Path) -> None:
    query = "filter=amount%3E1&rename=amount:sum&limit=1"
    done = curl("-f", "--data-binary", f"@{table}", "-H", _CSV, f"{server.url}/transform?{query}")
    assert done.output == b'id,name,sum,note\r\n007,"Smith, John",1e5,"said ""hi"""\r\n', done.errors


def test_ndjson_tells_where_it_ends_if_asked(server: Server, table: Path) -> None:
    url = f"{server.url}/transform?format=ndjson&select=id,note&output_end_record=true"
    lines = [json.loads(line) for line in curl("-f", "--data-binary", f"@{table}", "-H", _CSV, url).text.splitlines()]
    assert [line["id"] for line in lines[:-1]] == ["007", "12345678901234567890", "-0.0", "042"]
    assert "4" in json.dumps(lines[-1])


def test_a_malformed_row_is_refused_by_its_number(server: Server) -> None:
    answer = request(server.port, "POST", "/transform", _RAW, body=b"a,b\r\n1,2\r\n3\r\n5,6\r\n")
    problem = json.loads(answer.body)
    assert (answer.status, problem["row"], problem["line"], problem["raw"]) == (422, 2, 3, "3")


def test_malformed_rows_may_be_skipped_and_are_counted_and_kept(server: Server) -> None:
    body = b"a,b\r\n1,2\r\n3\r\n5,6\r\n7,8,9\r\n"
    answer = request(server.port, "POST", "/transform?on_bad_row=skip", _RAW, body=body)
    assert answer.body == b"a,b\r\n1,2\r\n5,6\r\n"
    assert answer.head.get("transform-rows-rejected") == "2"
    rejects = curl("-f", f"{server.url}/jobs/{answer.head.get('transform-id')}/rejects")
    *rows, last = map(json.loads, rejects.text.splitlines())
    assert [(row["line"], row["raw"]) for row in rows] == [(3, "3"), (5, "7,8,9")]
    assert last == {"type": "end", "rows": 2}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("selekt=a", "selekt"),
        ("select=a,nothing", "select"),
        ("filter=a%3E%3E%3E1", "filter"),
        ("limit=-1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("rename=a", "rename"),
        ("format=xml", "format"),
        ("on_bad_row=maybe", "on_bad_row"),
    ],
)
def test_a_fault_in_the_plan_is_named(server: Server, query: str, field: str) -> None:
    answer = request(server.port, "POST", f"/transform?{query}", _RAW, body=b"a,b\r\n1,2\r\n")
    assert (answer.status, json.loads(answer.body)["field"]) == (400, field)


def test_a_fault_after_the_first_byte_breaks_the_answer_off_and_the_job_tells_why(server: Server) -> None:
    rows = b"".join(b"%d,some text that fills a row\r\n" % number for number in range(1_500_000))
    body = b"a,b\r\n" + rows + b"too,many,fields\r\n"
    done = curl("-i", "--data-binary", "@-", "-H", _CSV, "-H", "Expect:", f"{server.url}/transform", stdin=body)
    assert done.code == 18, f"{done.code}: {done.errors}"
    head, _, output = done.output.partition(b"\r\n\r\n")
    assert output.startswith(b"a,b\r\n0,some text")
    assert b"too,many,fields" not in output
    [job] = re.findall(rb"(?i)transform-id: (\S+)", head)
    told = json.loads(curl("-f", f"{server.url}/jobs/{job.decode()}").text)
    assert (told["state"], told["fault"]["code"], told["fault"]["row"]) == ("failed", "malformed-row", 1_500_001)


def test_the_answer_begins_while_the_table_still_arrives(server: Server) -> None:
    chunk = b"1,some text that fills a row\r\n" * 1000
    with Connection(server.port) as connection:
        connection.send(request_bytes("POST", "/transform", _RAW, ("Transfer-Encoding", "chunked")))
        connection.send(_chunked(b"a,b\r\n"))
        for _ in range(200):
            connection.send(_chunked(chunk))
        assert connection.read(12) == b"HTTP/1.1 200"  # the end of the table has not come
        connection.send(b"0\r\n\r\n")


def test_a_hundred_megabytes_pass_in_flat_memory(server: Server, tmp_path: Path) -> None:
    path, expected = _make_large(tmp_path / "large.csv")
    url = f"{server.url}/transform?select=note,id&filter=id%3E%3D0"
    with _watched_memory(server) as grown:
        arrived = piped_sha256("curl", "-q", "-sSf", "-X", "POST", "-T", path, "-H", _CSV, "-H", "Expect:", url)
    assert arrived == expected
    assert grown() < _MOST_MEMORY


def test_a_client_that_sends_all_before_it_reads_is_served(server: Server) -> None:
    row = b"1,%s\r\n" % (b"x" * 1000)
    body = b"id,text\r\n" + row * (30 * MIB // len(row))
    answer = httpx.post(f"{server.url}/transform", content=body, headers={"Content-Type": "text/csv"}, timeout=60)
    assert (answer.status_code, answer.content == body) == (200, True)


def test_a_client_that_sends_more_than_is_wanted_before_it_reads_is_served(server: Server) -> None:
    row = b"1,%s\r\n" % (b"x" * 1000)
    body = b"id,text\r\n" + row * (60 * MIB // len(row))
    url = f"{server.url}/transform?limit=20000"
    answer = httpx.post(url, content=body, headers={"Content-Type": "text/csv"}, timeout=60)
    assert (answer.status_code, answer.content == b"id,text\r\n" + row * 20_000) == (200, True)


@pytest.mark.parametrize("is_form", [False, True])
def test_a_client_that_leaves_in_mid_table_leaves_nothing(server: Server, is_form: bool) -> None:
    raw = b"a,b\r\n" + b"1,2\r\n" * 500_000
    fields, content = form_bytes(("table.csv", raw)) if is_form else (_RAW, raw)
    before = wait_until(server.stats, lambda stats: not stats.files_below(server.root)).descriptors["socket"]
    with Connection(server.port) as connection:
        connection.send(request_bytes("POST", "/transform?sort=b", fields, body=content)[: len(content) // 2])
        wait_until(lambda: _work_folders(server))
        connection.reset()
        wait_until(lambda: not _work_folders(server))
    wait_until(server.stats, lambda stats: stats.descriptors["socket"] <= before + 2)  # of a worker that waits warm
    assert server.drafts() == []


def test_a_server_that_is_killed_takes_its_workers_along_and_its_jobs_have_failed(serve: Serve, tmp_path: Path) -> None:
    first = serve(tmp_path)
    with Connection(first.port) as connection:
        connection.send(request_bytes("POST", "/transform", _RAW, ("Transfer-Encoding", "chunked")))
        connection.send(_chunked(b"a,b\r\n"))
        [folder] = wait_until(lambda: _work_folders(first))
        family = wait_until(lambda: _descendants(first.pid), lambda found: len(found) > 1)
        first.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    second = serve(tmp_path)
    told = json.loads(curl("-f", f"{second.url}/jobs/{folder.parent.name}").text)
    assert (told["state"], told["fault"]["code"]) == ("failed", "engine-failed")
    wait_until(lambda: not _work_folders(second))


def _work_folders(server: Server) -> list[Path]:
    return list(server.root.glob(".fileserver/scratch/jobs/*/work"))


def _descendants(pid: int) -> list[int]:
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [*found, *(below for child in found for below in _descendants(child))]


def _chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def _make_large(path: Path) -> tuple[Path, str]:
    """A hundred megabytes of rows, and the digest of what `select=note,id` makes of them."""
    expected = hashlib.sha256(b"note,id\r\n")
    with path.open("wb") as file:
        file.write(b"id,name,note\r\n")
        for start in range(0, _LARGE // 100, 1000):
            numbers = range(start, start + 1000)
            file.write(b"".join(b'%09d,"a name, quoted",%s\r\n' % (number, _NOTE) for number in numbers))
            expected.update(b"".join(b"%s,%09d\r\n" % (_NOTE, number) for number in numbers))
    return path, expected.hexdigest()


@contextmanager
def _watched_memory(server: Server) -> Iterator[Callable[[], int]]:
    """Sample the memory of the server meanwhile; gives by how many bytes it was above the start."""
    start = most = server.stats().rss
    stop = threading.Event()

    def watch() -> None:
        nonlocal most
        while not stop.wait(0.05):
            most = max(most, server.stats().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: most - start
    finally:
        stop.set()
        watcher.join()


@pytest.mark.parametrize(
    ("media_type", "query", "expected"),
    [
        ("text/csv; charset=iso-8859-2", "", ("stadt\nłódź\n", "iso8859-2")),
        ('text/csv; charset="ISO-8859-2"', "?encoding=cp1252", ("stadt\n³ód¼\n", "cp1252")),
        ("text/csv; charset=iso-8859-2; header=absent", "?select=column1", ("stadt\nłódź\n", "iso8859-2")),
        ("text/csv", "", ("stadt\n³ód¼\n", "cp1252")),
    ],
)
def test_what_the_media_type_says_of_a_table_counts_where_the_query_does_not(
    server: Server, media_type: str, query: str, expected: tuple[str, str]
) -> None:
    body = "stadt\nłódź\n".encode("iso-8859-2")
    answer = request(server.port, "POST", f"/transform{query}", ("Content-Type", media_type), body=body)
    assert (answer.status, answer.body.decode(), answer.head.get("transform-encoding")) == (200, *expected)


def test_a_charset_that_nobody_knows_is_refused(server: Server) -> None:
    answer = request(server.port, "POST", "/transform", ("Content-Type", "text/csv; charset=klingon"), body=b"a\n1\n")
    assert (answer.status, json.loads(answer.body)["parameter"]) == (400, "encoding")


def test_fields_of_a_form_that_nobody_filled_in_ask_for_nothing(server: Server, table: Path) -> None:
    url = f"{server.url}/transform"
    done = curl("-f", "-F", "filter=", "-F", "limit=", "-F", "select=id", "-F", "sort=", "-F", f"file=@{table}", url)
    assert done.output == b"id\r\n007\r\n12345678901234567890\r\n-0.0\r\n042\r\n", done.errors

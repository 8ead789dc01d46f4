"""`fileserver transform` as people run it: real files, pipes, terminals and signals."""

import gzip
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from fileserver.cli import app
from fileserver.tables import PARAMETERS
from tests.support.server import COMMAND

TABLE = 'id,city,qty\n007,Köln,5\n008,"New York, NY",\n009,"",50\n'
DEADLINE_S = 60


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def transform(*words: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    return subprocess.run(command(*words), input=stdin, capture_output=True, timeout=DEADLINE_S, check=False)


def command(*words: str | Path) -> list[str]:
    return [str(COMMAND), "transform", *map(str, words)]


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def until(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from descendants(child)


def lives(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def test_what_no_flag_asks_to_change_stays(table: Path) -> None:
    done = transform(table)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, TABLE, b"")


def test_flags_are_the_parameters_of_a_query(table: Path) -> None:
    filters = ("--filter", "qty >= 5", "--filter", "qty < 100", "--sort", "-qty:int64")
    done = transform(table, *filters, "--select", "id,qty", "--rename", "id:ID", "--no-output-header")
    assert done.stdout.decode() == "009,50\n007,5\n"


def test_help_tells_every_parameter() -> None:
    environment = {**os.environ, "COLUMNS": "500"}
    done = subprocess.run(command("--help"), env=environment, capture_output=True, text=True, check=True)
    shown = "".join(done.stdout.split())
    for name, parameter in PARAMETERS.items():
        assert name == "delivery" or f"--{name.replace('_', '-')}" in shown
        assert name == "delivery" or "".join(parameter.description.split()) in shown


def test_what_is_compressed_is_unpacked(table: Path) -> None:
    table.write_bytes(gzip.compress(TABLE.encode()))
    assert transform(table).stdout.decode() == TABLE
    assert transform("-", stdin=bytes(pa.compress(TABLE.encode(), "zstd", asbytes=True))).stdout.decode() == TABLE


def test_standard_input_may_be_a_file(table: Path) -> None:
    with table.open("rb") as file:
        done = subprocess.run(command("-"), stdin=file, capture_output=True, timeout=DEADLINE_S, check=True)
    assert done.stdout.decode() == TABLE


def test_a_file_that_was_read_in_part_is_read_from_there(table: Path) -> None:
    with table.open("rb", buffering=0) as file:
        file.seek(len("id,city,qty\n"))
        words = command("-", "--no-header", "--select", "column1")
        done = subprocess.run(words, stdin=file, capture_output=True, timeout=DEADLINE_S, check=True)
    assert done.stdout == b"007\n008\n009\n"


def test_an_input_that_never_ends_is_left_once_there_is_enough() -> None:
    with subprocess.Popen(["yes", "007,Köln"], stdout=subprocess.PIPE) as endless:
        words = command("-", "--no-header", "--limit", "1")
        done = subprocess.run(words, stdin=endless.stdout, capture_output=True, timeout=DEADLINE_S, check=False)
        assert endless.poll() is None
        endless.kill()
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, "007,Köln\n", b"")


def test_rows_leave_while_the_input_still_comes() -> None:
    words = command("-", "--select", "id")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"id,text\n" + b"".join(b"%07d,%s\n" % (number, b"x" * 100) for number in range(40_000)))
        assert process.stdout.read(11) == b"id\n0000000\n"
        process.stdin.close()
        rest = b"".join(iter(lambda: process.stdout.read(65536) if process.stdout else b"", b""))
    assert (process.returncode, rest.count(b"\n")) == (0, 39_999)


def test_an_output_appears_whole_and_alone(table: Path) -> None:
    target = table.with_name("out.csv")
    done = transform(table, "-o", target, "--select", "id")
    assert (done.returncode, done.stdout, target.read_bytes()) == (0, b"", b"id\n007\n008\n009\n")
    assert names(table.parent) == ["out.csv", "table.csv"]


def test_the_name_of_the_output_tells_the_format(table: Path) -> None:
    target = table.with_name("out.ndjson")
    transform(table, "-o", target, "--limit", "1")
    assert json.loads(target.read_text()) == {"id": "007", "city": "Köln", "qty": "5"}
    transform(table, "-o", target, "--force", "--limit", "1", "--format", "csv")
    assert target.read_text().startswith("id,city,qty\n")


def test_an_output_that_exists_is_replaced_only_by_force(table: Path) -> None:
    target = table.with_name("out.csv")
    target.write_text("old")
    target.chmod(0o640)
    done = transform(table, "-o", target)
    assert (done.returncode, target.read_text()) == (2, "old")
    assert done.stderr.decode() == f"fileserver: {target} exists; --force replaces it\n"
    assert transform(table, "-o", target, "--force").returncode == 0
    assert target.read_text() == TABLE
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_table_may_replace_itself(table: Path) -> None:
    assert transform(table, "-o", table, "--force", "--select", "id").returncode == 0
    assert table.read_bytes() == b"id\n007\n008\n009\n"


def test_a_link_stays_one(table: Path) -> None:
    target, link = table.with_name("out.csv"), table.with_name("link.csv")
    target.write_text("old")
    link.symlink_to(target)
    assert transform(table, "-o", link, "--force").returncode == 0
    assert (link.is_symlink(), target.read_text()) == (True, TABLE)


def test_a_pipe_with_a_name_is_written_to(table: Path) -> None:
    pipe = table.with_name("pipe")
    os.mkfifo(pipe)
    process = subprocess.Popen(command(table, "-o", pipe))
    assert pipe.read_text() == TABLE
    assert process.wait(DEADLINE_S) == 0
    assert pipe.is_fifo()


def test_a_bad_row_fails_with_its_line_and_leaves_the_old_output(table: Path) -> None:
    target = table.with_name("out.csv")
    target.write_text("old")
    table.write_text(TABLE + "only one cell\n")
    done = transform(table, "-o", target, "--force")
    assert done.returncode == 1
    assert f"{table}, line 5 (row 4)" in done.stderr.decode()
    assert "only one cell" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert (target.read_text(), names(table.parent)) == ("old", ["out.csv", "table.csv"])


def test_a_failure_after_much_output_is_told(table: Path) -> None:
    with table.open("a") as file:
        file.writelines("007,Köln,5\n" for _ in range(300_000))
        file.write("bad\n")
    done = transform(table)
    assert done.returncode == 1
    assert b"line 300005" in done.stderr


def test_rejected_rows_go_to_a_file_and_are_counted(table: Path) -> None:
    rejects = table.with_name("rejects.ndjson")
    rejects.write_text("of an earlier run")
    table.write_text(TABLE + "only one cell\n")
    done = transform(table, "--on-bad-row", "skip", "--rejects", rejects)
    assert (done.returncode, done.stdout.decode()) == (0, TABLE)
    assert done.stderr == b"fileserver: 4 rows in, 3 out, 1 rejected\n"
    (record,) = map(json.loads, rejects.read_text().splitlines())
    assert (record["line"], record["row"], record["raw"]) == (5, 4, "only one cell")


def test_quiet_means_faults_alone(table: Path) -> None:
    table.write_text(TABLE + "only one cell\n")
    assert transform(table, "--on-bad-row", "skip", "--quiet").stderr == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit", "many"], "--limit"),
        (["--format", "docx"], "--format"),
        (["--plan", "{}", "--select", "id"], "--"),
        (["--plan", "@none.json"], "none.json: No such file or directory"),
        (["--memory", "little"], "--memory: little is no size"),
        (["-o", "/"], "/: Is a directory"),
        (["--rejects", "/"], "/: Is a directory"),
        (["--plan", '{"steps":[{"op":"join","file":"none.csv","on":{"id":"id"}}]}'], "none.csv: No such file"),
    ],
)
def test_what_is_wrong_before_the_work_begins_is_told_in_one_line(table: Path, words: Sequence[str], said: str) -> None:
    done = CliRunner().invoke(app, ["transform", str(table), *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"fileserver: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--filter", "qyt > 5"], "--filter, character 1: "),
        (["--plan", '{"steps":[{"op":"filter","where":"qyt > 5"}]}'], "steps[0].where, character 1: "),
        (["--sql", "select * from '/etc/passwd'"], "--sql"),
    ],
)
def test_a_fault_of_the_plan_is_wrong_usage_told_in_one_line(table: Path, words: Sequence[str], said: str) -> None:
    done = transform(table, *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"fileserver: {said}")
    assert done.stderr.count(b"\n") == 1


def test_a_table_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    for file, said in ((missing, f"{missing}: No such file or directory"), (tmp_path, f"{tmp_path} is a folder")):
        done = CliRunner().invoke(app, ["transform", str(file)])
        assert (done.exit_code, done.stderr) == (2, f"fileserver: {said}\n")


def test_a_plan_comes_from_a_file_and_joins_by_paths(table: Path) -> None:
    others = table.with_name("others.csv")
    others.write_text("id,country\n009,FR\n007,DE\n")
    plan = table.with_name("plan.json")
    steps = [{"op": "join", "file": str(others), "on": {"id": "id"}}, {"op": "select", "columns": ["id", "country"]}]
    plan.write_text(json.dumps({"steps": steps}))
    assert transform(table, "--plan", f"@{plan}").stdout == b"id,country\n007,DE\n008,\n009,FR\n"


def test_sql_joins_by_paths(table: Path) -> None:
    others = table.with_name("others.csv")
    others.write_text("id,country\n009,FR\n007,DE\n")
    sql = "select input.id, country from input join others on input.id = others.id order by 1"
    plan = json.dumps({"sql": sql, "tables": {"others": str(others)}})
    assert transform(table, "--plan", plan).stdout == b"id,country\n007,DE\n009,FR\n"


def test_a_reader_that_leaves_ends_it_without_a_word(table: Path) -> None:
    with table.open("a") as file:
        file.writelines("007,Köln,5\n" for _ in range(300_000))
    process = subprocess.Popen(command(table), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(DEADLINE_S) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("words", [(), ("-o", "/dev/full")])
def test_a_full_disk_is_told(table: Path, words: Sequence[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command(table, *words), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_no_file_and_no_process(tmp_path: Path, number: int, code: int) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    words = command("-", "-o", tmp_path / "out.csv")
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdin is not None
    process.stdin.write(TABLE.encode())
    process.stdin.flush()
    until(lambda: len(list(descendants(process.pid))) >= 2)
    children = list(descendants(process.pid))
    process.send_signal(number)
    assert process.wait(DEADLINE_S) == code
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.stdin.close()
    until(lambda: not any(map(lives, children)))
    assert (names(tmp_path), names(temporary)) == (["temporary"], [])


def on_a_terminal(*words: str | Path) -> tuple[int, str]:
    """Run the command with a terminal for standard error, and for standard output unless -o is given."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command(*words), stdout=theirs if "-o" not in words else None, stderr=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO is how a terminal ends
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    return process.wait(DEADLINE_S), shown.decode()


def test_a_person_sees_the_counts(table: Path) -> None:
    code, shown = on_a_terminal(table, "-o", table.with_name("out.csv"))
    assert code == 0
    assert "3 rows in, 3 out" in shown


def test_a_bar_is_shown_once_the_work_has_taken_a_moment(table: Path) -> None:
    """The table comes through a pipe, whose end is held back until the bar is there."""
    ours, theirs = pty.openpty()
    target = table.with_name("out.csv")
    process = subprocess.Popen(command("-", "-o", target), stdin=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    assert process.stdin is not None
    process.stdin.write(TABLE.encode())
    process.stdin.flush()
    shown = b""
    while b"rows in" not in shown:
        shown += os.read(ours, 65536)
    assert process.poll() is None
    process.stdin.close()
    with suppress(OSError):  # EIO is how a terminal ends
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    assert process.wait(DEADLINE_S) == 0
    assert b"bytes" in shown
    assert b"3 rows in, 3 out" in shown


def test_binary_formats_are_not_for_a_terminal(table: Path) -> None:
    code, shown = on_a_terminal(table, "--format", "parquet")
    assert (code, shown.strip()) == (2, "fileserver: parquet is not for a terminal: -o names a file")


def test_a_table_is_shown_on_a_terminal_without_a_bar(table: Path) -> None:
    code, shown = on_a_terminal(table, "--select", "id")
    assert (code, shown.splitlines()[:4]) == (0, ["id", "007", "008", "009"])

"""The ways that a table is sent through a transform: this server's, and those of the tools that people use instead."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import LoadFailed, cache_folder
from benchmarks.peers import CONSTRAINTS, Peer, Server, ours, uvicorn
from benchmarks.processes import Unavailable
from benchmarks.report import Figures
from benchmarks.transform_client import READ_SIZE, asked
from benchmarks.transform_works import Work
from benchmarks.watching import Watch

PACKAGES = ("duckdb-cli", "csvkit")
MB = 1e6
TUTORIAL = """
import codecs, csv, io
from fastapi import FastAPI, UploadFile
from fastapi.responses import StreamingResponse
app = FastAPI()

@app.post("/transform")
def transform(file: UploadFile):
    def rows():
        out = io.StringIO()
        writer = csv.DictWriter(out, ("id", "city", "amount"), extrasaction="ignore")
        writer.writeheader()
        for row in csv.DictReader(codecs.iterdecode(file.file, "utf-8")):
            if int(row["qty"]) > 900:
                writer.writerow(row)
                yield out.getvalue()
                out.seek(0)
                out.truncate()
    return StreamingResponse(rows(), media_type="text/csv")
"""
"""The works that the tutorial's server can do: one, which is written into it."""
TUTORIAL_WORKS = frozenset({"select"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table that all may read, and that the server knows by its name."""

    path: Path
    size: int


Run = Callable[[Work, Table], Figures | None]
"""Does the work once; None where the tool has no way to."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way by its key. `part`: how much of the table it is given, for the slow ones would take hours."""

    key: str
    name: str
    part: int = 1


LIVE = Way("ours", "this server, live upload")
STORED = Way("ours-stored", "this server, stored file")
COMMAND = Way("ours-command", "fileserver transform")
DUCKDB = Way("duckdb", "duckdb, the command")
TUTORIAL_WAY = Way("tutorial", "tutorial: csv in StreamingResponse", 10)
MILLER = Way("miller", "Miller", 10)
PYTHON = Way("csv", "Python csv, a script", 10)
CSVKIT = Way("csvkit", "csvkit", 100)
WAYS = {way.key: way for way in (LIVE, STORED, COMMAND, DUCKDB, TUTORIAL_WAY, MILLER, PYTHON, CSVKIT)}

OURS = Peer("ours", "this server", ours(), "/health")
TUTORIAL_PEER = Peer("tutorial", TUTORIAL_WAY.name, uvicorn(TUTORIAL), "/docs")


def by_upload(server: Server) -> Run:
    """The table is the body of the request."""
    return lambda work, table: _answered(server, "/transform", work, table, table.path)


def by_key(server: Server) -> Run:
    """The table is stored; the request names it."""
    return lambda work, table: _answered(server, f"/transform/{table.path.name}", work, table, None)


def by_form(server: Server) -> Run:
    """The table is uploaded to the tutorial's server, which takes forms alone."""

    def run(work: Work, table: Table) -> Figures | None:
        if work.key not in TUTORIAL_WORKS:
            return None
        url = f"http://127.0.0.1:{server.site.port}/transform"
        form = ["-sSf", "-H", "Expect:", "-F", f"file=@{table.path};type=text/csv", url]
        return _piped(["curl", *form], table, watched=server.pid)

    return run


def by_our_command(work: Work, table: Table) -> Figures:
    """The command of this project, from cold."""
    program = str(Path(sys.executable).parent / "fileserver")
    flags = [word for name, value in work.query for word in (f"--{name.replace('_', '-')}", value)]
    return _piped([program, "transform", str(table.path), "--quiet", *flags], table)


def by_duckdb(work: Work, table: Table) -> Figures:
    """DuckDB's command, all columns as text, as its fastest way to standard output has it."""
    query = work.sql.format(table=f"read_csv('{table.path}', all_varchar = true)")
    copy = f"COPY ({query}) TO '/dev/stdout' ({work.copy_options})"
    return _piped([_peers_program("duckdb"), "-c", copy], table)


def by_miller(work: Work, table: Table) -> Figures:
    """Miller."""
    if shutil.which("mlr") is None:
        raise Unavailable("mlr is not installed")
    return _piped(["mlr", *work.miller_formats.split(), *shlex.split(work.miller), str(table.path)], table)


def by_csvkit(work: Work, table: Table) -> Figures | None:
    """csvkit's commands in a shell, as its tutorial pipes them."""
    if not work.csvkit:
        return None
    folder = Path(_peers_program("csvcut")).parent
    return _piped(["sh", "-c", f"PATH={folder}:$PATH; {work.csvkit.format(file=table.path)}"], table)


def by_python(work: Work, table: Table) -> Figures:
    """Python's csv."""
    call = f"from benchmarks.csv_peer import main; main({work.key!r}, {str(table.path)!r})"
    return _piped([sys.executable, "-c", call], table)


COMMANDS: dict[Way, Run] = {
    COMMAND: by_our_command,
    DUCKDB: by_duckdb,
    MILLER: by_miller,
    PYTHON: by_python,
    CSVKIT: by_csvkit,
}


def _answered(server: Server, path: str, work: Work, table: Table, upload: Path | None) -> Figures:
    with Watch(server.pid) as watch:
        answer = asked(server.site.port, path, work.query, upload)
    return _figures(table, answer.seconds, answer.first_byte_s, watch)


def _piped(command: list[str], table: Table, *, watched: int | None = None) -> Figures:
    """What a command writes to a pipe; it or another process is watched. Raises LoadFailed when it fails."""
    started_s, first_byte_s, size = time.perf_counter(), 0.0, 0
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process,
        Watch(watched or process.pid) as watch,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        while piece := process.stdout.read(READ_SIZE):
            first_byte_s = first_byte_s or time.perf_counter() - started_s
            size += len(piece)
        seconds = time.perf_counter() - started_s
        complaint = process.stderr.read().decode(errors="replace")
    if process.returncode or not size:
        raise LoadFailed(f"{command[0]} ended with {process.returncode}: {complaint[-500:].strip()}")
    return _figures(table, seconds, first_byte_s, watch)


def _figures(table: Table, seconds: float, first_byte_s: float, watch: Watch) -> Figures:
    return {
        "MB/s": table.size / MB / seconds,
        "first byte s": first_byte_s,
        "CPU s/GB": watch.cpu_s / table.size * 1e9,
        "MB": max(watch.peak, watch.child_peak) / MB,
    }


def _peers_program(name: str) -> str:
    """A program of the peers' own virtual environment, made on first use."""
    folder = cache_folder() / "tables"
    program, stamp = folder / "bin" / name, folder / "installed"
    wanted = "\n".join((sys.version, *PACKAGES, CONSTRAINTS.read_text()))
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing DuckDB's command and csvkit", file=sys.stderr)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
            subprocess.run([str(folder / "bin" / "python"), *install, *PACKAGES], check=True, capture_output=True)
        except subprocess.CalledProcessError as failed:
            raise Unavailable("DuckDB's command and csvkit cannot be installed") from failed
        stamp.write_text(wanted)
    if not program.exists():
        raise Unavailable(f"{name} is not in its package")
    return str(program)

"""A CSV through a transform, uploaded live: this server beside the generator that tutorials teach, in one run.

10 MB of plain rows and 10 MB with quotes; select and filter. Figures are medians of RUNS: MB/s of input.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import free_port, running

SIZE = 10_000_000
RUNS = 3
TUTORIAL = """
import codecs, csv, io
from fastapi import FastAPI, UploadFile
from fastapi.responses import StreamingResponse
app = FastAPI()

@app.post("/transform")
def transform(file: UploadFile):
    def rows():
        for row in csv.DictReader(codecs.iterdecode(file.file, "utf-8")):
            if int(row["qty"]) > 50:
                line = io.StringIO()
                csv.writer(line).writerow([row["id"], row["city"]])
                yield line.getvalue()
    return StreamingResponse(rows(), media_type="text/csv")
"""


def ours(folder: Path, port: int) -> list[str]:
    """This server."""
    script = str(Path(sys.executable).parent / "fileserver")
    return [script, "serve", str(folder), "--port", str(port), "--no-access-log"]


def tutorial(folder: Path, port: int) -> list[str]:
    """Python's csv in a StreamingResponse."""
    (folder / "tutorial_app.py").write_text(TUTORIAL)
    options = ["--port", str(port), "--app-dir", str(folder), "--no-access-log", "--log-level", "error"]
    return [sys.executable, "-m", "uvicorn", "tutorial_app:app", *options]


def make(path: Path, row: Callable[[int], str]) -> None:
    """A table of about SIZE bytes."""
    block = "".join(row(number) for number in range(10_000)).encode()
    with path.open("wb") as file:
        file.write(b"id,city,qty,note\n")
        for _ in range(SIZE // len(block)):
            file.write(block)


def measure(port: int, table: Path) -> float:
    """MB/s of one upload."""
    query = ["--url-query", "select=id,city", "--url-query"]
    figures = ["-H", "Expect:", "-o", "/dev/null", "-w", "%{time_total}"]
    command = ["curl", "-sS", "-F", f"file=@{table};type=text/csv", *query, "filter=qty > 50", *figures]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/transform"], check=True, capture_output=True, text=True)
    return table.stat().st_size / 1e6 / float(done.stdout)


def main(folder: Path) -> None:
    """Print the table."""
    tables = {"plain": folder / "plain.csv", "quoted": folder / "quoted.csv"}
    make(tables["plain"], lambda n: f"{n:08},Köln,{n % 100},some note\n")
    make(tables["quoted"], lambda n: f'{n:08},"Paris, TX",{n % 100},"said ""hi"""\n')
    for name, command in (("this server", ours), ("csv tutorial", tutorial)):
        port = free_port()
        with running(command(folder, port), port):
            for kind, table in tables.items():
                runs = [measure(port, table) for _ in range(RUNS)]
                print(f"{name:14} {kind:8} {statistics.median(runs):6.1f} MB/s", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name))

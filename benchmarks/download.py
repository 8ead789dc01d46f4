"""Downloads beside peers, in one run: this server, FileResponse on uvicorn, nginx with and without sendfile.

A warm 1 GiB file over loopback, one client and eight. Figures are medians of RUNS: GB/s together, and CPU seconds of
the server's processes for each GB.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 1 << 30
RUNS = 3
TICKS = os.sysconf("SC_CLK_TCK")
STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route
app = Starlette(routes=[Route("/{path}", lambda request: FileResponse(PATH))])
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{ access_log off; sendfile {sendfile}; server {{ listen 127.0.0.1:{port}; root {folder}; }}
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; }}
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ours(folder: Path, port: int) -> list[str]:
    """This server."""
    script = str(Path(sys.executable).parent / "fileserver")
    return [script, "serve", str(folder), "--port", str(port), "--no-access-log", "--read-only"]


def file_response(folder: Path, port: int) -> list[str]:
    """Starlette's FileResponse on uvicorn, as its users run it."""
    (folder / "starlette_app.py").write_text(STARLETTE.replace("PATH", repr(str(folder / "file"))))
    options = ["--port", str(port), "--app-dir", str(folder), "--no-access-log", "--log-level", "error"]
    return [sys.executable, "-m", "uvicorn", "starlette_app:app", *options]


def nginx(sendfile: str) -> Callable[[Path, int], list[str]]:
    """nginx with one worker."""

    def command(folder: Path, port: int) -> list[str]:
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, sendfile=sendfile))
        return ["nginx", "-c", str(config), "-e", str(folder / "error.log")]

    return command


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """The server's process id, once it answers."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def fetch(port: int, path: str) -> None:
    """Read one answer to its end and throw it away."""
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        received = 0
        while count := connection.recv_into(buffer):
            received += count
    assert received > SIZE, received


def measure(pid: int, port: int, path: str, clients: int) -> tuple[float, float]:
    """GB/s and CPU seconds a GB of one run."""
    threads = [threading.Thread(target=fetch, args=(port, path)) for _ in range(clients)]
    started_s, before_s = time.perf_counter(), cpu_s(pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gigabytes = clients * SIZE / 1e9
    return gigabytes / (time.perf_counter() - started_s), (cpu_s(pid) - before_s) / gigabytes


def main(folder: Path) -> None:
    """Print the table."""
    (folder / "file").write_bytes(os.urandom(1 << 20) * (SIZE >> 20))
    peers: list[tuple[str, Callable[[Path, int], list[str]], str]] = [
        ("this server", ours, "/files/file"),
        ("FileResponse", file_response, "/file"),
    ]
    if shutil.which("nginx"):
        peers += [("nginx sendfile", nginx("on"), "/file"), ("nginx, sendfile off", nginx("off"), "/file")]
    for name, command, path in peers:
        port = free_port()
        with running(command(folder, port), port) as pid:
            for clients in (1, 8):
                runs = [measure(pid, port, path, clients) for _ in range(RUNS)]
                speed, cpu = (statistics.median(figures) for figures in zip(*runs, strict=True))
                print(f"{name:20} {clients} clients  {speed:5.2f} GB/s  {cpu:5.2f} CPU s/GB", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        main(Path(name))
